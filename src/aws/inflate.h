// Request bodies sent with Content-Encoding: gzip.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"

namespace headrace::aws {

// SerializationException when the bytes are not gzip or would grow beyond `limit`.
Reply<std::string> GunzipBody(std::string_view bytes, size_t limit);

}  // namespace headrace::aws
