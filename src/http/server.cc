#include "http/server.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <signal.h>

#include "base/log.h"
#include "base/processors.h"
#include "http/connection.h"
#include "http/unix_socket.h"

namespace headrace::http {
namespace {

namespace net = boost::asio;
using Tcp = net::ip::tcp;
constexpr auto kAwait = net::as_tuple(net::use_awaitable);

std::string AddressOf(const Tcp::socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (!error && peer.data()->sa_family == AF_UNIX) return "local";
  return error ? "-" : fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

class AsioServer : public Server {
 public:
  AsioServer(ServerOptions options, Handler handler) : options_(std::move(options)) {
    service_.handler = std::move(handler);
    service_.limits = options_.limits;
    service_.observer = options_.observer;
  }

  ~AsioServer() override { Stop(Milliseconds(0)); }

  Status Start() {
    for (const Listener& listener : options_.listeners) HEADRACE_TRY(Bind(listener));
    for (size_t i = 0; i < acceptors_.size(); ++i)
      net::co_spawn(acceptors_[i].get_executor(), Accept(acceptors_[i], options_.listeners[i].tls),
                    [](const std::exception_ptr&) {});
    for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this, i] { Work(i); });
    return {};
  }

  std::vector<uint16_t> ports() const override { return ports_; }

  size_t open_connections() const override {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  void Stop(Milliseconds grace) override {
    if (threads_.empty()) return;
    service_.stopping = true;
    for (Tcp::acceptor& acceptor : acceptors_)
      net::post(acceptor.get_executor(), [&acceptor] {
        boost::system::error_code ignored;
        acceptor.close(ignored);
      });
    ForEach([](Connection& connection) { connection.StopWhenIdle(); });
    if (!AwaitNone(grace)) ForEach([](Connection& connection) { connection.Cut(); });
    AwaitNone(kCutTime);
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  struct Entry {
    net::any_io_executor strand;
    std::shared_ptr<Connection> connection;
  };
  using Entries = std::list<Entry>;
  static constexpr Milliseconds kCutTime{10'000};  // for handlers to notice that their connection is gone

  // To Asio a socket is a descriptor that connections are accepted from: a local one will do.
  Status BindToPath(const std::string& path) {
    HEADRACE_ASSIGN(auto socket, ListenAtPath(path));
    acceptors_.emplace_back(net::make_strand(io_));
    acceptors_.back().assign(Tcp::v4(), socket.Release());
    ports_.push_back(0);
    return {};
  }

  Status Bind(const Listener& listener) {
    if (!listener.unix_socket.empty()) return BindToPath(listener.unix_socket);
    boost::system::error_code error;
    const auto address = net::ip::make_address(listener.address, error);
    if (error)
      return Fail(ErrorCode::kInvalidArgument, "listen address: found '{}', wanted an IP address", listener.address);
    const Tcp::endpoint endpoint(address, listener.port);
    Tcp::acceptor acceptor(net::make_strand(io_));
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
    if (error)
      return Fail(ErrorCode::kUnavailable, "{}:{}: cannot listen: {}", listener.address, listener.port,
                  error.message());
    ports_.push_back(acceptor.local_endpoint().port());
    acceptors_.push_back(std::move(acceptor));
    return {};
  }

  // sendfile has no flag against SIGPIPE, so the threads that use it do not take the signal.
  void Work(size_t thread) {
    if (options_.bind_threads) BindThisThread(Processors(), thread);
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    io_.run();
  }

  Task<void> Accept(Tcp::acceptor& acceptor, std::shared_ptr<const TlsContext> tls) {
    net::steady_timer pause(io_);
    while (acceptor.is_open()) {
      const net::any_io_executor strand = net::make_strand(io_);
      auto [error, socket] = co_await acceptor.async_accept(strand, kAwait);
      if (service_.stopping) co_return;
      if (error) {  // out of descriptors: others must end first
        Log(LogLevel::kWarning, "accept: {}", error.message());
        pause.expires_after(Milliseconds(100));
        co_await pause.async_wait(kAwait);
        continue;
      }
      boost::system::error_code ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      if (HasRoom()) {
        Serve(std::move(socket), strand, tls);
      } else {
        TurnAway(socket);
      }
    }
  }

  void Serve(Tcp::socket socket, const net::any_io_executor& strand, std::shared_ptr<const TlsContext> tls) {
    std::string peer = AddressOf(socket);
    auto transport = MakeTransport(std::move(socket), strand, std::move(tls));
    auto connection = std::make_shared<Connection>(service_, std::move(transport), std::move(peer));
    const auto place = Add({strand, connection});
    net::co_spawn(strand, connection->Run(), [this, place](const std::exception_ptr& failure) {
      if (failure) Log(LogLevel::kError, "connection: ended by an exception");
      Remove(place);
    });
  }

  // When the house is full, who has been idle the longest goes.
  bool HasRoom() {
    const std::lock_guard lock(mutex_);
    if (connections_.size() < options_.limits.connections) return true;
    const Entry* longest = nullptr;
    int64_t since = 0;
    for (const Entry& entry : connections_) {
      const int64_t idle = entry.connection->idle_since();
      if (idle != 0 && (longest == nullptr || idle < since)) {
        longest = &entry;
        since = idle;
      }
    }
    if (longest == nullptr) return false;
    net::post(longest->strand, [connection = longest->connection] { connection->StopWhenIdle(); });
    return connections_.size() < options_.limits.connections + kOverlap;
  }

  static void TurnAway(Tcp::socket& socket) {
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.send(net::buffer(kFull), 0, ignored);
    socket.shutdown(Tcp::socket::shutdown_send, ignored);
  }

  Entries::iterator Add(Entry entry) {
    const std::lock_guard lock(mutex_);
    return connections_.insert(connections_.end(), std::move(entry));
  }

  void Remove(Entries::iterator place) {
    const std::lock_guard lock(mutex_);
    connections_.erase(place);
    if (connections_.empty()) none_left_.notify_all();
  }

  void ForEach(void (*act)(Connection&)) {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : connections_)
      net::post(entry.strand, [act, connection = entry.connection] { act(*connection); });
  }

  bool AwaitNone(Milliseconds limit) {
    std::unique_lock lock(mutex_);
    return none_left_.wait_for(lock, limit, [this] { return connections_.empty(); });
  }

  static constexpr size_t kOverlap = 64;  // idle connections that are still being closed

  ServerOptions options_;
  Service service_;
  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  // Behind what its handlers use, so that it goes first.
  net::io_context io_;
  Entries connections_;
  net::executor_work_guard<net::io_context::executor_type> work_ = net::make_work_guard(io_);
  std::vector<Tcp::acceptor> acceptors_;
  std::vector<uint16_t> ports_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Listen(ServerOptions options, Handler handler) {
  auto server = std::make_unique<AsioServer>(std::move(options), std::move(handler));
  HEADRACE_TRY(server->Start());
  return server;
}

}  // namespace headrace::http
