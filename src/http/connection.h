// Connection: one client. Reads a head, runs the handler, sends its response, and begins again.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "http/input.h"
#include "http/request_body.h"
#include "http/request_ids.h"
#include "http/response_writer.h"
#include "http/server.h"
#include "http/transport.h"

namespace headrace::http {

// What all connections of a server share.
struct Service {
  Handler handler;
  Limits limits;
  std::function<void(const Exchange&)> observer;
  RequestIds ids;
  SystemClock clock;
  std::atomic<bool> stopping = false;
};

class Connection {
 public:
  Connection(Service& service, std::unique_ptr<Transport> transport, std::string peer);

  Task<void> Run();
  // Ends the connection if it waits for a request; false when it does not. On the connection's strand.
  bool StopWhenIdle();
  void Cut() { transport_->Close(); }  // on the strand
  // Whether a handler has found out who asks. Any thread.
  bool trusted() const { return trusted_; }
  // Whether it has been waiting for its peer since `then` or longer; while a handler runs, only if `handled`. Any
  // thread.
  bool WaitsSince(std::chrono::steady_clock::time_point then, bool handled) const;
  // When it began to wait for a request, in ticks of the steady clock; 0 while it serves one. Any thread.
  int64_t idle_since() const { return idle_since_; }

 private:
  Task<tl::expected<bool, BadHead>> ReadHead(RequestParser& parser);
  Task<bool> ServeOne();
  Task<bool> Refuse(const BadHead& refusal);
  Task<Response> Answer(Request& request);
  Task<bool> Send(Request& request, Response& response, Framing& framing, RequestBody* body, Pace& pace);
  Task<bool> Drain(RequestBody& body);
  Task<void> Linger();
  void Label(Request& request);

  Service& service_;
  std::unique_ptr<Transport> transport_;
  const std::string peer_;
  Input input_;
  std::chrono::steady_clock::time_point head_arrived_;
  std::atomic<int64_t> idle_since_ = 0;
  std::atomic<bool> trusted_ = false, handling_ = false;
};

}  // namespace headrace::http
