// Transport: one accepted connection as bytes, plain or TLS. Every wait has a time limit; when it passes, the
// operation fails and timed_out() says why. All calls on the connection's own strand.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "http/message.h"
#include "http/tls.h"

namespace headrace::http {

using Milliseconds = std::chrono::milliseconds;

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Task<Status> Handshake(Milliseconds limit) = 0;
  // At least one byte, or 0 when the peer has closed its side.
  virtual Task<Result<size_t>> ReadSome(std::span<char> into, Milliseconds limit) = 0;
  // Part of `first` followed by `second`.
  virtual Task<Result<size_t>> WriteSome(std::string_view first, std::string_view second, Milliseconds limit) = 0;
  // Part of a file, as much as fits without waiting twice; 0: the file has ended.
  virtual Task<Result<size_t>> SendSome(int file, uint64_t offset, uint64_t size, Milliseconds limit) = 0;
  // Says that nothing more will be sent.
  virtual Task<void> ShutdownSend(Milliseconds limit) = 0;
  virtual void Close() = 0;
  virtual bool timed_out() const = 0;
  // When it began to wait for the peer, in ticks of the steady clock; 0 while it does not. Any thread.
  virtual int64_t waiting_since() const = 0;
  virtual bool secure() const = 0;
};

// `executor` is the strand that the connection's coroutine runs on.
std::unique_ptr<Transport> MakeTransport(boost::asio::ip::tcp::socket socket, boost::asio::any_io_executor executor,
                                         std::shared_ptr<const TlsContext> tls);

}  // namespace headrace::http
