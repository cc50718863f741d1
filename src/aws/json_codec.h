// AWS JSON 1.0 and 1.1: bodies as JSON, within bounds.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"
#include "aws/service.h"

namespace headrace::aws {

// An object; an empty body is an empty object. SerializationException for anything else, for text that is not UTF-8,
// for nesting beyond kMaxNesting or more than kMaxValues values: both are checked before anything is built.
Reply<Json> DecodeJson(std::string_view text);

// Bytes that are not UTF-8 become U+FFFD.
std::string EncodeJson(const Json& value);

// {"__type": code, "message": message, …details}
Json ErrorDocument(const ServiceError& error);

}  // namespace headrace::aws
