// What the creating operations do with a request before they keep it.
#pragma once

#include <string>

#include "api/sagemaker/operations.h"
#include "api/validation/shape.h"
#include "store/meta/tags.h"

namespace headrace::api::sagemaker {

// Clients send members as null: without them, everybody behind may take presence for a value.
Json WithoutNulls(Json request);
// The request's tags, which are kept apart from it.
store::TagList TakeTags(Json& request);
// As it is stored: broken UTF-8 must not make it unreadable.
std::string RequestText(const Json& request);
// Two tags of one key are a violation.
void CheckTagKeys(const Json& request, Violations& violations);

}  // namespace headrace::api::sagemaker
