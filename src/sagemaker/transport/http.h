// Requests of the SDK as they go out and answers as they come in: bodies from memory or a file, to memory or a sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/aws_clients.h"

namespace headrace::sagemaker {

struct HttpHeader {
  std::string name, value;
};

// Bytes of an open file.
struct FilePart {
  int descriptor = -1;
  uint64_t offset = 0, bytes = 0;
};

struct HttpRequest {
  std::string method, url;
  std::vector<HttpHeader> headers;
  std::string_view body;  // or, when `file` has a descriptor, that part of the file
  std::optional<FilePart> file;
  // Gets the body of a 2xx answer piece by piece instead of HttpReply::body; what it returns as failure ends the call.
  // It is called from the start again when the request is sent again.
  std::function<Outcome<void>(std::string_view)> sink;
  std::function<void()> restart_sink;         // before each attempt
  size_t max_reply_bytes = size_t{64} << 20;  // of HttpReply::body
};

struct HttpReply {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;

  std::string Header(std::string_view name) const;  // "" when absent; names compare without case
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

// Sends one request once. Thread-safe.
class HttpSender {
 public:
  virtual ~HttpSender() = default;
  // Errors: ConnectionError, Timeout, Cancelled, or the sink's. Any answer with a status is a reply.
  virtual Outcome<HttpReply> Send(const HttpRequest& request, Deadline deadline, const std::stop_token& stop) = 0;
};

// An error that no service said. `retryable` says whether the same request may succeed later.
ServiceError LocalError(ErrorCode code, std::string service_code, std::string message, bool retryable = false);

}  // namespace headrace::sagemaker
