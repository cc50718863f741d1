#include "http/connection.h"

#include <array>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <strings.h>

#include "base/log.h"

namespace headrace::http {
namespace {

namespace net = boost::asio;
using Steady = std::chrono::steady_clock;

bool ExpectsContinue(const Request& request) {
  const std::string* expect = request.headers.Find("Expect");
  return expect != nullptr && ::strcasecmp(expect->c_str(), "100-continue") == 0;
}

Response InternalError(const Request& request) {
  return TextResponse(500, "text/plain", fmt::format("internal error; request id {}\n", request.id));
}

}  // namespace

Connection::Connection(Service& service, std::unique_ptr<Transport> transport, std::string peer)
    : service_(service), transport_(std::move(transport)), peer_(std::move(peer)) {}

bool Connection::StopWhenIdle() {
  if (idle_since_ == 0) return false;
  transport_->Close();
  return true;
}

bool Connection::WaitsSince(Steady::time_point then, bool handled) const {
  if (handling_ && !handled) return false;
  const int64_t since = transport_->waiting_since();
  return since != 0 && since <= then.time_since_epoch().count();
}

Task<void> Connection::Run() {
  idle_since_ = Steady::now().time_since_epoch().count();
  const Status shaken = co_await transport_->Handshake(service_.limits.header_time);
  idle_since_ = 0;
  bool more = shaken.has_value();
  while (more) {
    more = co_await ServeOne();
    // Who sends many requests at once lets the other connections of the thread go first between two of them.
    if (!input_.unread().empty()) co_await net::post(co_await net::this_coro::executor, net::use_awaitable);
  }
  transport_->Close();
}

// True when a head is there, false when the connection has ended before one began.
Task<tl::expected<bool, BadHead>> Connection::ReadHead(RequestParser& parser) {
  constexpr size_t kFirst = 4096;
  auto began = Steady::now();
  while (true) {
    while (input_.unread().starts_with('\r') || input_.unread().starts_with('\n')) input_.Consume(1);
    const bool idle = input_.unread().empty();
    if (!idle) {
      auto taken = parser.ParseHead(input_.unread());
      if (!taken) co_return tl::unexpected(std::move(taken.error()));
      if (*taken > 0) {
        input_.Consume(*taken);
        co_return true;
      }
    } else if (service_.stopping) {
      co_return false;
    }
    const auto spent = std::chrono::duration_cast<Milliseconds>(Steady::now() - began);
    const auto limit = idle ? service_.limits.idle_time : service_.limits.header_time - spent;
    if (idle) idle_since_ = began.time_since_epoch().count();
    auto room = input_.Room(std::max(kFirst, 2 * input_.unread().size()));
    auto size = co_await transport_->ReadSome(room, std::max(limit, Milliseconds(1)));
    if (idle) began = Steady::now();
    idle_since_ = 0;
    if (!size && !idle && transport_->timed_out()) co_return tl::unexpected(BadHead{408, "the head took too long"});
    if (!size || *size == 0) co_return false;
    input_.Filled(*size);
  }
}

void Connection::Label(Request& request) {
  request.id = service_.ids.Next();
  request.peer = peer_;
  request.secure = transport_->secure();
  request.trusted = &trusted_;
  request.received = service_.clock.Now();
  head_arrived_ = Steady::now();
}

Task<bool> Connection::ServeOne() {
  RequestParser parser(service_.limits.header_bytes);
  input_.Shrink();
  auto head = co_await ReadHead(parser);
  if (!head) co_return co_await Refuse(head.error());
  if (!*head) co_return false;
  Request request = parser.TakeRequest();
  Label(request);
  RequestBody body(*transport_, input_, parser, service_.limits, request, ExpectsContinue(request));
  request.body = &body;
  Framing framing{request.method == "HEAD", parser.http_1_0(), parser.keep_alive()};
  Pace pace(service_.limits);
  handling_ = true;
  Response response = co_await Answer(request);
  handling_ = false;
  if (service_.stopping || !body.Drainable(service_.limits.drained_bytes)) framing.keep_alive = false;
  if (!co_await Send(request, response, framing, &body, pace)) co_return false;
  if (framing.keep_alive) co_return co_await Drain(body);
  if (!body.done()) co_await Linger();
  co_await transport_->ShutdownSend(Milliseconds(1000));
  co_return false;
}

// What a handler throws stays here.
Task<Response> Connection::Answer(Request& request) {
  try {
    co_return co_await service_.handler(request);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "request {}: {} {}: {}", request.id, request.method, request.path, error.what());
  }
  co_return InternalError(request);
}

Task<bool> Connection::Send(Request& request, Response& response, Framing& framing, RequestBody* body, Pace& pace) {
  Status sent;
  try {
    sent = co_await WriteResponse(*transport_, response, framing, service_.clock.Now(), pace);
  } catch (const std::exception& error) {  // a body stream of the handler's
    sent = Fail(ErrorCode::kInternal, "{}", error.what());
  }
  if (service_.observer) {
    const double seconds = std::chrono::duration<double>(Steady::now() - head_arrived_).count();
    service_.observer(
        {request, response.status, body != nullptr ? body->received() : 0, pace.bytes(), seconds, sent.has_value()});
  }
  if (!sent && sent.error().code() != ErrorCode::kUnavailable)
    Log(LogLevel::kError, "request {}: response cut short: {}", request.id, sent.error().message());
  co_return sent.has_value();
}

Task<bool> Connection::Refuse(const BadHead& refusal) {
  Request request;
  Label(request);
  request.method = "-";
  request.path = request.target = "-";
  request.log_detail = "malformed request";
  Response response = TextResponse(refusal.status, "text/plain", refusal.reason + "\n");
  Framing framing{.keep_alive = false};
  Pace pace(service_.limits);
  if (!co_await Send(request, response, framing, nullptr, pace)) co_return false;
  co_await Linger();
  co_return false;
}

Task<bool> Connection::Drain(RequestBody& body) {
  std::array<char, 16384> piece;
  while (!body.done()) {
    auto size = co_await body.Read(piece);
    if (!size) co_return false;
  }
  co_return true;
}

// Closing with bytes unread would reset the connection, and the client might lose the response.
Task<void> Connection::Linger() {
  constexpr size_t kMost = 4 << 20;
  std::array<char, 16384> piece;
  const auto end = Steady::now() + Milliseconds(2000);
  if (!transport_->secure()) co_await transport_->ShutdownSend(Milliseconds(1000));
  for (size_t read = 0; read < kMost && Steady::now() < end;) {
    auto size = co_await transport_->ReadSome(piece, Milliseconds(500));
    if (!size || *size == 0) co_return;
    read += *size;
  }
}

}  // namespace headrace::http
