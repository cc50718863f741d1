#include "http/server.h"

#include <array>
#include <atomic>
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
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/descriptor_limit.h"
#include "base/log.h"
#include "base/processors.h"
#include "http/admission.h"
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

// Every connection may have a file or a connection to another server behind it, and the rest of the process has some.
size_t ConnectionsWithin(size_t descriptors, size_t wanted) {
  const size_t for_files = std::clamp<size_t>(descriptors / 4, 64, 1024);
  const size_t least = 8;
  return std::min(wanted, std::max(descriptors - std::min(descriptors, for_files), least));
}

constexpr std::string_view kSlowDown =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\nContent-Length: 127\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n"
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Error><Code>SlowDown</Code><Message>Too many connections; try again.</Message></Error>\n";

class AsioServer : public Server {
 public:
  AsioServer(ServerOptions options, Handler handler)
      : options_(std::move(options)),
        admission_(ConnectionsWithin(DescriptorLimit(), options_.limits.connections),
                   options_.limits.kept_connections) {
    service_.handler = std::move(handler);
    service_.limits = options_.limits;
    service_.observer = options_.observer;
  }

  ~AsioServer() override { Stop(Milliseconds(0)); }

  Status Start() {
    if (admission_.most() < options_.limits.connections)
      Log(LogLevel::kWarning,
          "at most {} connections at a time, not {}: this process may have {} descriptors (ulimit -n), and some are "
          "for "
          "files",
          admission_.most(), options_.limits.connections, DescriptorLimit());
    for (const Listener& listener : options_.listeners) HEADRACE_TRY(Bind(listener));
    for (size_t i = 0; i < acceptors_.size(); ++i)
      net::co_spawn(acceptors_[i].get_executor(), Accept(acceptors_[i], options_.listeners[i].tls),
                    [](const std::exception_ptr&) {});
    for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this, i] { Work(i); });
    return {};
  }

  std::vector<uint16_t> ports() const override { return ports_; }

  size_t open_connections() const override { return admission_.size(); }
  size_t most_connections() const override { return admission_.most(); }

  void Stop(Milliseconds grace) override {
    if (threads_.empty()) return;
    service_.stopping = true;
    for (Tcp::acceptor& acceptor : acceptors_)
      net::post(acceptor.get_executor(), [&acceptor] {
        boost::system::error_code ignored;
        acceptor.close(ignored);
      });
    admission_.ForEach([](Connection& connection) { connection.StopWhenIdle(); });
    if (!admission_.AwaitNone(grace)) admission_.ForEach([](Connection& connection) { connection.Cut(); });
    admission_.AwaitNone(kCutTime);
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
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
    net::steady_timer pause(acceptor.get_executor());
    while (acceptor.is_open()) {
      const net::any_io_executor strand = net::make_strand(io_);
      auto [error, socket] = co_await acceptor.async_accept(strand, kAwait);
      if (service_.stopping) co_return;
      if (error) {
        RelieveDescriptors(acceptor, error);
        pause.expires_after(kPause);
        co_await pause.async_wait(kAwait);
        continue;
      }
      boost::system::error_code ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      if (admission_.MakeRoom()) {
        Serve(std::move(socket), strand, tls);
      } else {
        net::co_spawn(strand, TurnAway(std::move(socket), strand), [](const std::exception_ptr&) {});
      }
      // Those who were told to go need a moment; meanwhile the next ones wait in the kernel's queue.
      for (int rounds = 0; admission_.Crowded() && !service_.stopping && rounds < kMostRounds; ++rounds) {
        pause.expires_after(Milliseconds(1));
        co_await pause.async_wait(kAwait);
      }
    }
  }

  // Out of descriptors: a connection that waits gives up its own, and whoever stands at the door is told to come again.
  void RelieveDescriptors(Tcp::acceptor& acceptor, const boost::system::error_code& error) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_of_errors_.load() > kBetweenWarnings) {
      told_of_errors_ = now;
      Log(LogLevel::kWarning, "accept: {}; {} connections are open", error.message(), admission_.size());
    }
    if (admission_.SendOneAway() || !spare_) return;
    spare_.Reset();
    if (const Descriptor next(::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        next) {
      char unread[4096];
      [[maybe_unused]] ssize_t moved = ::recv(next.get(), unread, sizeof unread, 0);  // else the close resets
      moved = ::send(next.get(), kSlowDown.data(), kSlowDown.size(), MSG_NOSIGNAL);
      ::shutdown(next.get(), SHUT_WR);
    }
    spare_ = OpenSpare();
  }

  void Serve(Tcp::socket socket, const net::any_io_executor& strand, std::shared_ptr<const TlsContext> tls) {
    std::string peer = AddressOf(socket);
    auto transport = MakeTransport(std::move(socket), strand, std::move(tls));
    auto connection = std::make_shared<Connection>(service_, std::move(transport), std::move(peer));
    const auto place = admission_.Add({strand, connection});
    net::co_spawn(strand, connection->Run(), [this, place](const std::exception_ptr& failure) {
      if (failure) Log(LogLevel::kError, "connection: ended by an exception");
      admission_.Remove(place);
    });
  }

  // The request is read away: closing with bytes unread would reset the connection, and the answer might be lost.
  Task<void> TurnAway(Tcp::socket socket, net::any_io_executor strand) {
    if (turned_away_.fetch_add(1) < kMostTurnedAway) {
      const auto transport = MakeTransport(std::move(socket), std::move(strand), nullptr);
      co_await transport->WriteSome(kSlowDown, {}, kPause);
      co_await transport->ShutdownSend(kPause);
      std::array<char, 4096> unread;
      for (int i = 0; i < 16; ++i) {
        const auto size = co_await transport->ReadSome(unread, kPause);
        if (!size || *size == 0) break;
      }
      transport->Close();
    }
    --turned_away_;
  }

  static Descriptor OpenSpare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

  static constexpr Milliseconds kPause{100};
  static constexpr std::chrono::seconds kBetweenWarnings{10};
  static constexpr int kMostRounds = 1000, kMostTurnedAway = 16;

  ServerOptions options_;
  Service service_;
  Descriptor spare_ = OpenSpare();
  std::atomic<std::chrono::steady_clock::time_point> told_of_errors_{};
  std::atomic<int> turned_away_ = 0;
  // Behind what its handlers use, so that it goes first.
  net::io_context io_;
  Admission admission_;
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
