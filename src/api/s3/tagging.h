// The Tagging document.
#pragma once

#include <string>
#include <string_view>

#include "api/s3/errors.h"
#include "store/meta/buckets.h"

namespace headrace::api::s3 {

std::string TaggingDocument(const store::Pairs& tags);
// At most `limit` tags.
Reply<store::Pairs> ReadTaggingDocument(std::string_view document, size_t limit);

}  // namespace headrace::api::s3
