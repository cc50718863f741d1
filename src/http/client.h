// Client: HTTP/1.1 requests to servers near by, for coroutines of a Server. Connections are kept and used again.
//
//   const ClientRequest request{.port = 8501, .method = "POST", .target = "/v1/models/m:predict", .body = json};
//   auto answer = co_await client.Send(request, 60s);
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace headrace::http {

struct ClientRequest {
  std::string address = "127.0.0.1";  // an IP address
  uint16_t port = 0;
  std::string unix_socket{};  // a path (unix_socket.h), instead of address and port
  std::string method = "GET";
  std::string target = "/";
  Headers headers{};  // Host, Content-Length and Connection are the client's
  std::string body{};
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

struct ClientOptions {
  size_t idle_connections = 32;  // kept for each server
  size_t header_bytes = 65536, body_bytes = size_t{64} << 20;
};

// Thread-safe; has one thread. Outlives the servers whose coroutines ask it.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // kUnavailable: no connection, it broke, or `limit` passed (the message says which). kDataLoss: the answer is
  // malformed. kResourceExhausted: it is too large. A request that a kept connection lost before any answer is sent
  // once more on a new one.
  Task<Result<ClientResponse>> Send(const ClientRequest& request, std::chrono::milliseconds limit);
  // Forgets the connections to a server that has gone.
  void Forget(const std::string& unix_socket);

 private:
  class Connections;
  const ClientOptions options_;
  std::unique_ptr<Connections> connections_;
};

// Send() for a thread that may wait.
Result<ClientResponse> SendAndWait(Client& client, const ClientRequest& request, std::chrono::milliseconds limit);

}  // namespace headrace::http
