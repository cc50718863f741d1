#include "http/client.h"

#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/span_body.hpp>

#include "http/unix_socket.h"

namespace headrace::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using Steady = std::chrono::steady_clock;
constexpr auto kAwait = net::as_tuple(net::use_awaitable);

// One connection on a strand of its own, so that it can serve coroutines of any.
struct Link {
  explicit Link(net::any_io_executor strand) : stream(std::move(strand)) {}
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};

// What an exchange on a link came to.
struct Outcome {
  Result<ClientResponse> response;
  bool reusable = false;
  bool unanswered = false;  // it broke before the first byte of an answer
};

// Who is asked: the key of kept connections.
std::string ServerOf(const ClientRequest& request) {
  return request.unix_socket.empty() ? fmt::format("{}:{}", request.address, request.port) : request.unix_socket;
}

tl::unexpected<Error> Broken(const ClientRequest& request, const char* what, const beast::error_code& error) {
  const std::string where = ServerOf(request);
  if (error == beast::error::timeout) return Fail(ErrorCode::kUnavailable, "{}: {}: no answer in time", where, what);
  if (error == beast::http::error::body_limit)
    return Fail(ErrorCode::kResourceExhausted, "{}: the answer is larger than the limit", where);
  if (error.category() == beast::http::make_error_code(beast::http::error::bad_version).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message)
    return Fail(ErrorCode::kDataLoss, "{}: malformed answer: {}", where, error.message());
  return Fail(ErrorCode::kUnavailable, "{}: {}: {}", where, what, error.message());
}

// Its body stays where it is.
using Message = beast::http::request<beast::http::span_body<const char>>;

Message ToBeast(const ClientRequest& request) {
  Message message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  for (const auto& field : request.headers.fields()) message.insert(field.name, field.value);
  message.set(beast::http::field::host, request.unix_socket.empty() ? ServerOf(request) : "localhost");
  message.body() = {request.body.data(), request.body.size()};
  message.prepare_payload();
  return message;
}

ClientResponse FromBeast(beast::http::response<beast::http::string_body>&& message) {
  ClientResponse response;
  response.status = message.result_int();
  for (const auto& field : message) response.headers.Add(std::string(field.name_string()), std::string(field.value()));
  response.body = std::move(message.body());
  return response;
}

Task<std::optional<tl::unexpected<Error>>> Connect(Link& link, const ClientRequest& request) {
  if (!request.unix_socket.empty()) {
    auto socket = ConnectToPath(request.unix_socket);
    if (!socket) co_return tl::unexpected<Error>(std::move(socket.error()));
    link.stream.socket().assign(net::ip::tcp::v4(), socket->Release());  // to Asio it is a descriptor like others
    co_return std::nullopt;
  }
  beast::error_code invalid;
  const net::ip::tcp::endpoint server(net::ip::make_address(request.address, invalid), request.port);
  if (invalid)
    co_return Fail(ErrorCode::kInvalidArgument, "address: found '{}', wanted an IP address", request.address);
  const auto [refused] = co_await link.stream.async_connect(server, kAwait);
  if (refused) co_return Broken(request, "connect", refused);
  beast::error_code ignored;
  link.stream.socket().set_option(net::ip::tcp::no_delay(true), ignored);
  co_return std::nullopt;
}

Task<Outcome> Exchange(Link& link, const ClientRequest& request, Message& message, const ClientOptions& options,
                       Steady::time_point end) {
  link.stream.expires_at(end);
  if (!link.stream.socket().is_open()) {
    if (auto failed = co_await Connect(link, request)) co_return Outcome{std::move(*failed)};
  }
  const auto [unsent, written] = co_await beast::http::async_write(link.stream, message, kAwait);
  if (unsent) co_return Outcome{Broken(request, "send", unsent), false, unsent != beast::error::timeout};
  beast::http::response_parser<beast::http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(options.header_bytes));
  parser.body_limit(options.body_bytes);
  if (request.method == "HEAD") parser.skip(true);
  const auto [unread, read] = co_await beast::http::async_read(link.stream, link.buffer, parser, kAwait);
  if (unread)
    co_return Outcome{Broken(request, "receive", unread), false, read == 0 && unread != beast::error::timeout};
  const bool reusable = parser.get().keep_alive();
  link.stream.expires_never();
  co_return Outcome{FromBeast(parser.release()), reusable};
}

}  // namespace

// The connections that wait for their next request, and the thread on which all of them run. Of the client's own, so
// that they need not end before the server whose coroutines ask.
class Client::Connections {
 public:
  explicit Connections(size_t most) : most_(most), thread_([this] { io_.run(); }) {}
  ~Connections() {
    work_.reset();
    io_.stop();
    thread_.join();
  }
  net::io_context& io() { return io_; }
  std::unique_ptr<Link> Take(const std::string& server) {
    const std::lock_guard lock(mutex_);
    auto& links = idle_[server];
    if (links.empty()) return nullptr;
    auto link = std::move(links.back());
    links.pop_back();
    return link;
  }
  void Keep(const std::string& server, std::unique_ptr<Link> link) {
    const std::lock_guard lock(mutex_);
    auto& links = idle_[server];
    if (links.size() < most_) links.push_back(std::move(link));
  }
  void Forget(const std::string& server) {
    const std::lock_guard lock(mutex_);
    idle_.erase(server);
  }

 private:
  const size_t most_;
  net::io_context io_;
  net::executor_work_guard<net::io_context::executor_type> work_ = net::make_work_guard(io_);
  std::mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<Link>>> idle_;
  std::thread thread_;
};

Client::Client(ClientOptions options)
    : options_(options), connections_(std::make_unique<Connections>(options.idle_connections)) {}
Client::~Client() = default;

void Client::Forget(const std::string& unix_socket) { connections_->Forget(unix_socket); }

Task<Result<ClientResponse>> Client::Send(const ClientRequest& request, std::chrono::milliseconds limit) {
  const auto end = Steady::now() + limit;
  Connections* const connections = connections_.get();
  const std::string server = ServerOf(request);
  auto message = ToBeast(request);
  while (true) {
    auto link = connections->Take(server);
    const bool kept = link != nullptr;
    if (!kept) link = std::make_unique<Link>(net::make_strand(connections->io()));
    const net::any_io_executor strand = link->stream.get_executor();
    auto exchange = Exchange(*link, request, message, options_, end);  // named: see request_body.cc
    Outcome outcome = co_await net::co_spawn(strand, std::move(exchange), net::use_awaitable);
    if (outcome.reusable)
      connections->Keep(server, std::move(link));
    else
      net::post(strand, [gone = std::move(link)] {});  // it ends where its timer runs
    if (kept && outcome.unanswered) continue;          // the server had closed it meanwhile
    co_return std::move(outcome.response);
  }
}

Result<ClientResponse> SendAndWait(Client& client, const ClientRequest& request, std::chrono::milliseconds limit) {
  net::io_context context;
  std::optional<Result<ClientResponse>> answer;
  const auto ask = [&]() -> Task<void> { answer.emplace(co_await client.Send(request, limit)); };
  net::co_spawn(context, ask, net::detached);
  context.run();
  if (!answer) return Fail(ErrorCode::kInternal, "the request was not sent");
  return std::move(*answer);
}

}  // namespace headrace::http
