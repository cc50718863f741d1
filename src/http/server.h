// Server: HTTP/1.1 on one or more addresses. Connections are coroutines on a few threads; request bodies are streams
// that the handler pulls, so memory does not grow with their size.
//
//   auto server = Server::Listen({.listeners = {{"127.0.0.1", 0}}}, [](Request& request) -> Task<Response> { ... });
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "http/tls.h"

namespace headrace::http {

struct Limits {
  size_t header_bytes = 65536;                       // request line and fields; above: 431
  std::chrono::milliseconds header_time{10'000};     // from a head's first byte to its last; above: 408
  std::chrono::milliseconds idle_time{75'000};       // between requests
  std::chrono::milliseconds stall_time{30'000};      // without one byte of a body moving, either way
  std::chrono::milliseconds progress_grace{30'000};  // waiting for the peer that is free; after it bodies must move at
  size_t progress_rate = 4096;                       // so many bytes a second
  // Above, one makes room for the next (admission.h), or the next gets a 503. Fewer where the process may not have so
  // many descriptors: a part of them is for files.
  size_t connections = 1024;
  size_t kept_connections = 0;    // of these, for those that a handler has trusted (Request::Trust)
  size_t drained_bytes = 262144;  // of a body that the handler left unread, before the connection is closed instead
};

// One request, told to the observer when its response has been sent or given up.
struct Exchange {
  const Request& request;
  int status = 0;
  uint64_t received_bytes = 0, sent_bytes = 0;  // of the bodies
  double seconds = 0;
  bool complete = true;  // false: the peer went away, or was too slow, before all was sent
};

struct Listener {
  std::string address = "127.0.0.1";  // an IP address
  uint16_t port = 0;                  // 0: any free one
  std::shared_ptr<const TlsContext> tls = nullptr;
  std::string unix_socket = {};  // a path (unix_socket.h), instead of address and port
};

struct ServerOptions {
  std::vector<Listener> listeners;
  Limits limits{};
  size_t threads = 2;
  // Binds each thread to a processor of its own. For handlers that compute on a machine that is theirs: left to the
  // kernel, threads that wake often gather on one processor, and who holds a request there waits for the others.
  bool bind_threads = false;
  std::function<void(const Exchange&)> observer{};  // called on the server's threads
};

class Server {
 public:
  // Listens and serves until Stop. The handler runs on the server's threads, several requests at once; what it throws
  // becomes a 500.
  static Result<std::unique_ptr<Server>> Listen(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // stops without grace

  virtual std::vector<uint16_t> ports() const = 0;  // in the order of the listeners
  virtual size_t open_connections() const = 0;
  virtual size_t most_connections() const = 0;  // Limits::connections, or what the descriptors allow
  // Takes no more requests, lets the running ones end for at most `grace`, then cuts their connections. Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace headrace::http
