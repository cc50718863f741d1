#include "http/transport.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "http/watchdog.h"

namespace headrace::http {
namespace {

namespace net = boost::asio;
using Tcp = net::ip::tcp;
constexpr auto kAwait = net::as_tuple(net::use_awaitable);

tl::unexpected<Error> Broken(const Watchdog& watchdog, const char* what, const std::string& why) {
  return Fail(ErrorCode::kUnavailable, "connection: {}: {}", what, watchdog.bitten() ? "too slow" : why);
}

// What both kinds share: the socket and its time limit.
class SocketOwner : public Transport {
 public:
  bool timed_out() const override { return watchdog_->bitten(); }
  int64_t waiting_since() const override { return watchdog_->waiting_since(); }

 protected:
  explicit SocketOwner(const net::any_io_executor& executor) : executor_(executor) {}
  ~SocketOwner() override { watchdog_->Retire(); }
  void Watch(Tcp::socket& socket) {
    watchdog_ = std::make_shared<Watchdog>(executor_, [&socket] {
      boost::system::error_code ignored;
      socket.cancel(ignored);
    });
  }

  net::any_io_executor executor_;
  std::shared_ptr<Watchdog> watchdog_;
};

class PlainTransport : public SocketOwner {
 public:
  PlainTransport(Tcp::socket socket, const net::any_io_executor& executor)
      : SocketOwner(executor), socket_(std::move(socket)) {
    Watch(socket_);
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
  }

  Task<Status> Handshake(Milliseconds) override { co_return Status(); }

  Task<Result<size_t>> ReadSome(std::span<char> into, Milliseconds limit) override {
    co_await TakeTurns();
    while (true) {
      const ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
      if (n >= 0) co_return Moved(n);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return Broken(*watchdog_, "receive", std::strerror(errno));
      if (auto ready = co_await Wait(Tcp::socket::wait_read, limit); !ready)
        co_return tl::unexpected<Error>(std::move(ready.error()));
    }
  }

  Task<Result<size_t>> WriteSome(std::string_view first, std::string_view second, Milliseconds limit) override {
    std::array<iovec, 2> parts{iovec{const_cast<char*>(first.data()), first.size()},
                               iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    co_await TakeTurns();
    while (true) {
      const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
      if (n >= 0) co_return Moved(n);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return Broken(*watchdog_, "send", std::strerror(errno));
      if (auto ready = co_await Wait(Tcp::socket::wait_write, limit); !ready)
        co_return tl::unexpected<Error>(std::move(ready.error()));
    }
  }

  Task<Result<size_t>> SendSome(int file, uint64_t offset, uint64_t size, Milliseconds limit) override {
    co_await TakeTurns();
    while (true) {
      auto position = static_cast<off_t>(offset);
      const ssize_t n = ::sendfile(socket_.native_handle(), file, &position, std::min(size, kTurn));
      if (n >= 0) co_return Moved(n);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return Broken(*watchdog_, "send", std::strerror(errno));
      if (auto ready = co_await Wait(Tcp::socket::wait_write, limit); !ready)
        co_return tl::unexpected<Error>(std::move(ready.error()));
    }
  }

  Task<void> ShutdownSend(Milliseconds) override {
    boost::system::error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    co_return;
  }

  void Close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  bool secure() const override { return false; }

 private:
  Task<Status> Wait(Tcp::socket::wait_type what, Milliseconds limit) {
    watchdog_->Start(limit);
    const auto [error] = co_await socket_.async_wait(what, kAwait);
    watchdog_->End();
    since_wait_ = 0;
    if (error || watchdog_->bitten()) co_return Broken(*watchdog_, "wait", error.message());
    co_return Status();
  }

  // A connection that never has to wait lets the others of its thread go first now and then.
  Task<void> TakeTurns() {
    if (since_wait_ < kTurn) co_return;
    since_wait_ = 0;
    co_await net::post(executor_, net::use_awaitable);
  }
  size_t Moved(ssize_t n) {
    since_wait_ += static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }

  static constexpr uint64_t kTurn = 1 << 20;  // bytes
  uint64_t since_wait_ = 0;
  Tcp::socket socket_;
};

class SecureTransport : public SocketOwner {
 public:
  SecureTransport(Tcp::socket socket, const net::any_io_executor& executor, std::shared_ptr<const TlsContext> tls)
      : SocketOwner(executor), tls_(std::move(tls)), stream_(std::move(socket), tls_->context()) {
    Watch(stream_.next_layer());
  }

  Task<Status> Handshake(Milliseconds limit) override {
    watchdog_->Start(limit);
    const auto [error] = co_await stream_.async_handshake(net::ssl::stream_base::server, kAwait);
    watchdog_->End();
    if (error) co_return Broken(*watchdog_, "TLS handshake", error.message());
    co_return Status();
  }

  Task<Result<size_t>> ReadSome(std::span<char> into, Milliseconds limit) override {
    watchdog_->Start(limit);
    const auto [error, n] = co_await stream_.async_read_some(net::buffer(into.data(), into.size()), kAwait);
    watchdog_->End();
    if (error == net::error::eof || error == net::ssl::error::stream_truncated) co_return size_t{0};
    if (error) co_return Broken(*watchdog_, "receive", error.message());
    co_return n;
  }

  Task<Result<size_t>> WriteSome(std::string_view first, std::string_view second, Milliseconds limit) override {
    const std::string_view part = first.empty() ? second : first;
    watchdog_->Start(limit);
    const auto [error, n] = co_await stream_.async_write_some(net::buffer(part.data(), part.size()), kAwait);
    watchdog_->End();
    if (error) co_return Broken(*watchdog_, "send", error.message());
    co_return n;
  }

  Task<Result<size_t>> SendSome(int file, uint64_t offset, uint64_t size, Milliseconds limit) override {
    if (piece_.empty()) piece_.resize(65536);
    const ssize_t n = ::pread(file, piece_.data(), std::min<uint64_t>(size, piece_.size()), static_cast<off_t>(offset));
    if (n < 0) co_return Fail(ErrorCode::kUnavailable, "file: cannot be read: {}", std::strerror(errno));
    watchdog_->Start(limit);
    const auto [error, written] =
        co_await net::async_write(stream_, net::buffer(piece_.data(), static_cast<size_t>(n)), kAwait);
    watchdog_->End();
    if (error) co_return Broken(*watchdog_, "send", error.message());
    co_return written;
  }

  Task<void> ShutdownSend(Milliseconds limit) override {
    watchdog_->Start(limit);
    co_await stream_.async_shutdown(kAwait);
    watchdog_->End();
  }

  void Close() override {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  bool secure() const override { return true; }

 private:
  std::shared_ptr<const TlsContext> tls_;
  net::ssl::stream<Tcp::socket> stream_;
  std::vector<char> piece_;
};

}  // namespace

std::unique_ptr<Transport> MakeTransport(Tcp::socket socket, net::any_io_executor executor,
                                         std::shared_ptr<const TlsContext> tls) {
  if (tls == nullptr) return std::make_unique<PlainTransport>(std::move(socket), executor);
  return std::make_unique<SecureTransport>(std::move(socket), executor, std::move(tls));
}

}  // namespace headrace::http
