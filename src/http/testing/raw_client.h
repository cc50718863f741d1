// For tests: a blocking socket that says exactly the bytes a test wants said.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.h"

namespace headrace::http {

class RawClient {
 public:
  RawClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit RawClient(uint16_t port) : RawClient() { Connect(port); }

  void Connect(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{20, 0};  // a test that waits for nothing ends
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  bool connected() const { return connected_; }
  int descriptor() const { return socket_.get(); }

  bool Say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // What arrives up to and with `mark`; shorter when the connection ends before.
  std::string HearUntil(std::string_view mark) {
    while (heard_.find(mark) == std::string::npos && More()) {
    }
    const size_t at = heard_.find(mark);
    return Take(at == std::string::npos ? heard_.size() : at + mark.size());
  }
  std::string Hear(size_t bytes) {
    while (heard_.size() < bytes && More()) {
    }
    return Take(std::min(bytes, heard_.size()));
  }
  std::string HearAll() {
    while (More()) {
    }
    return Take(heard_.size());
  }
  // A head and, with a Content-Length, its body.
  std::string HearResponse() {
    std::string head = HearUntil("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? head : head + Hear(std::stoul(head.substr(at + 16)));
  }

 private:
  bool More() {
    char piece[65536];
    const ssize_t n = ::recv(socket_.get(), piece, sizeof piece, 0);
    if (n <= 0) return false;
    heard_.append(piece, static_cast<size_t>(n));
    return true;
  }
  std::string Take(size_t n) {
    std::string taken = heard_.substr(0, n);
    heard_.erase(0, n);
    return taken;
  }

  Descriptor socket_;
  std::string heard_;
  bool connected_ = false;
};

}  // namespace headrace::http
