// What may be called what: buckets, keys, tags.
#pragma once

#include <string_view>

#include "api/s3/errors.h"
#include "store/meta/buckets.h"

namespace headrace::api::s3 {

// 3 to 63 of a-z, 0-9, '.' and '-', beginning and ending with a letter or digit, not an IPv4 address.
Reply<void> CheckBucketName(std::string_view name);
// 1 to 1024 bytes of UTF-8 without NUL.
Reply<void> CheckKey(std::string_view key);
// At most `limit`, keys apart, 128 and 256 characters.
Reply<void> CheckTags(const store::Pairs& tags, size_t limit);

}  // namespace headrace::api::s3
