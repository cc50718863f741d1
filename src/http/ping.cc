#include "http/ping.h"

#include <cerrno>
#include <charconv>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "http/unix_socket.h"

namespace headrace::http {
namespace {

constexpr size_t kLongestAnswer = 4096;  // of which an error quotes the body

bool IsPassing(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == EINPROGRESS; }

}  // namespace

Ping::Ping(const std::string& unix_socket, UnixMillis deadline)
    : deadline_(deadline), unsent_("GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") {
  auto connected = ConnectToPath(unix_socket);
  if (connected)
    socket_ = std::move(*connected);
  else
    broken_ = connected.error().message();
}

void Ping::AddTo(std::vector<pollfd>& watched) const {
  if (!broken_.empty() || closed_) return;
  watched.push_back({socket_.get(), static_cast<short>(unsent_.empty() ? POLLIN : POLLOUT), 0});
}

std::optional<Status> Ping::Attend(UnixMillis now) {
  if (broken_.empty() && !unsent_.empty()) Send();
  if (broken_.empty() && unsent_.empty()) Receive();
  if (auto answered = Answered()) return answered;
  if (!broken_.empty()) return Fail(ErrorCode::kUnavailable, "/ping: {}", broken_);
  if (now >= deadline_) return Fail(ErrorCode::kUnavailable, "no answer to /ping in time");
  return std::nullopt;
}

void Ping::Send() {
  const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent >= 0)
    unsent_.erase(0, static_cast<size_t>(sent));
  else if (!IsPassing(errno))
    broken_ = std::strerror(errno);
}

void Ping::Receive() {
  char buffer[1024];
  while (!closed_ && answer_.size() < kLongestAnswer) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n > 0) answer_.append(buffer, static_cast<size_t>(n));
    if (n == 0) closed_ = true;
    if (n < 0 && !IsPassing(errno)) broken_ = std::strerror(errno);
    if (n < 0) return;
  }
  if (closed_ && answer_.empty()) broken_ = "the connection was closed without an answer";
}

// "HTTP/1.1 200 OK" is all that there is to know; another answer is awaited to its end, for its body.
std::optional<Status> Ping::Answered() const {
  int status = 0;
  const auto line_end = answer_.find("\r\n"), blank = answer_.find(' ');
  if (line_end != std::string::npos && blank < line_end && answer_.starts_with("HTTP/"))
    std::from_chars(answer_.data() + blank + 1, answer_.data() + line_end, status);
  if (status == 200) return Status();
  const bool whole = closed_ || !broken_.empty() || answer_.size() >= kLongestAnswer;
  if (answer_.empty() || !whole) return std::nullopt;
  const auto head_end = answer_.find("\r\n\r\n");
  return Fail(ErrorCode::kUnavailable, "/ping answered {}: {}", status,
              head_end == std::string::npos ? answer_ : answer_.substr(head_end + 4));
}

}  // namespace headrace::http
