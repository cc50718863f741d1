// A request's whole body, inflated when it came as gzip.
#pragma once

#include <string>

#include "base/result.h"
#include "http/message.h"

namespace headrace::serving {

// kResourceExhausted above `limit` bytes, before and after inflating; kInvalidArgument for damaged or unknown
// encodings. The string has room for simdjson's padding.
http::Task<Result<std::string>> ReadBody(http::Request& request, size_t limit);

// kInvalidArgument when it is no gzip stream.
Result<std::string> Inflate(std::string_view compressed, size_t limit);

}  // namespace headrace::serving
