// RequestBody: the body of one request, read from the connection while the handler pulls it.
#pragma once

#include "http/input.h"
#include "http/pace.h"
#include "http/request_parser.h"
#include "http/transport.h"

namespace headrace::http {

class RequestBody : public BodyReader {
 public:
  // `expects_continue`: the client waits for "100 Continue", which goes out with the first Read.
  RequestBody(Transport& transport, Input& input, RequestParser& parser, const Limits& limits, const Request& request,
              bool expects_continue);

  // kDataLoss: the client is gone before the end; kUnavailable: it is too slow.
  Task<Result<size_t>> Read(std::span<char> into) override;

  bool done() const { return chunked_ ? parser_.body_done() : left_ == 0; }
  // May the rest be read away after the response, so that the connection can go on?
  bool Drainable(size_t limit) const { return done() || (!chunked_ && !expects_continue_ && left_ <= limit); }
  uint64_t received() const { return received_; }

 private:
  Task<Status> Continue();
  Task<Result<size_t>> ReadSized(std::span<char> into);
  Task<Result<size_t>> ReadChunked(std::span<char> into);
  Task<Result<size_t>> Receive(std::span<char> into);

  Transport& transport_;
  Input& input_;
  RequestParser& parser_;
  Pace pace_;
  const bool chunked_;
  bool expects_continue_;
  uint64_t left_ = 0, received_ = 0;
};

}  // namespace headrace::http
