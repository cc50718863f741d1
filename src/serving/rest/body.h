// Bodies: a request's whole, inflated when it came as gzip, and a response's, compressed for who asks.
#pragma once

#include <string>

#include "base/result.h"
#include "http/message.h"
#include "serving/codec/buffer.h"

namespace headrace::serving {

// kResourceExhausted above `limit` bytes, before and after inflating; kInvalidArgument for damaged or unknown
// encodings.
http::Task<Result<Buffer>> ReadBody(http::Request& request, size_t limit);

// kInvalidArgument when it is no gzip stream.
Result<Buffer> Inflate(std::string_view compressed, size_t limit);
// A gzip stream, fast rather than small.
std::string Deflate(std::string_view text);

// Whether an Accept-Encoding header takes gzip.
bool AcceptsGzip(std::string_view accept_encoding);
// Compresses a text that is worth it, for a client that asks.
void CompressBody(const http::Request& request, http::Response& response);

}  // namespace headrace::serving
