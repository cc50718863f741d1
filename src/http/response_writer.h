// Sends one response: head and body, as text, file or stream.
#pragma once

#include "http/pace.h"
#include "http/transport.h"

namespace headrace::http {

struct Framing {
  bool head_only = false;  // HEAD
  bool http_1_0 = false;
  bool keep_alive = true;
};

// The status line and fields. `keep_alive` is corrected when the body can only be ended by closing.
std::string ResponseHead(const Response& response, Framing& framing, UnixMillis now);

// On failure the connection is of no more use. `pace` counts the body's bytes.
Task<Status> WriteResponse(Transport& transport, Response& response, Framing& framing, UnixMillis now, Pace& pace);

}  // namespace headrace::http
