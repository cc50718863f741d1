// The least that HTTP costs on this machine: takes POST requests of one connection at a time and answers each, when its
// body is whole, with a fixed number of bytes, by plain blocking calls.
//
// usage: bench_echo ANSWER_BYTES    prints its port, serves until it is killed
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "bench_echo: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// One request off `socket`; false when the client has gone.
bool TakeRequest(int socket, std::vector<char>& buffer) {
  std::string head;
  size_t end = std::string::npos;
  while (end == std::string::npos) {
    const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (n <= 0) return false;
    head.append(buffer.data(), static_cast<size_t>(n));
    end = head.find("\r\n\r\n");
  }
  const size_t field = head.find("Content-Length:");
  if (field == std::string::npos) return false;
  const size_t whole = end + 4 + std::strtoull(head.c_str() + field + 15, nullptr, 10);
  for (size_t got = head.size(); got < whole;) {
    const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (n <= 0) return false;
    got += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_echo ANSWER_BYTES\n", stderr);
    return 2;
  }
  const std::string bytes(std::strtoul(argv[1], nullptr, 10), ' ');
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n\r\n" + bytes;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 16) != 0) Die("listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  std::vector<char> buffer(1 << 18);
  while (true) {
    const int socket = ::accept(listener, nullptr, nullptr);
    if (socket < 0) Die("accept");
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (TakeRequest(socket, buffer))
      if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size())) break;
    ::close(socket);
  }
}
