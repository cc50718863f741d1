#include "http/access_log.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

namespace headrace::http {
namespace {

std::string Time(UnixMillis time) {
  const std::time_t seconds = time / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, time % 1000);
}

bool Secret(std::string_view name) {
  constexpr std::array<std::string_view, 3> kSecret{"X-Amz-Signature", "X-Amz-Security-Token", "Signature"};
  const std::string decoded = PercentDecode(name);
  for (const std::string_view secret : kSecret)
    if (decoded.size() == secret.size() && ::strncasecmp(decoded.data(), secret.data(), secret.size()) == 0)
      return true;
  return false;
}

std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    if (c > ' ' && c < 0x7f)
      printable += c;
    else
      printable += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return printable;
}

std::string WithoutSecrets(std::string_view query) {
  std::string shown;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::string_view name = pair.substr(0, pair.find('='));
    shown += shown.empty() ? '?' : '&';
    shown += Secret(name) ? Printable(name) + "=..." : Printable(pair);
  }
  return shown;
}

}  // namespace

std::string AccessLine(const Exchange& exchange) {
  const Request& request = exchange.request;
  return fmt::format("{} {} {} {} {}{} {}{} in={} out={} {:.1f}ms {}", Time(request.received), request.id, request.peer,
                     Printable(request.method), Printable(request.path), WithoutSecrets(request.query), exchange.status,
                     exchange.complete ? "" : "!", exchange.received_bytes, exchange.sent_bytes,
                     exchange.seconds * 1000, request.log_detail.empty() ? "-" : request.log_detail);
}

Result<std::unique_ptr<AccessLog>> AccessLog::Open(const std::string& path) {
  Descriptor file(path == "-" ? ::dup(STDOUT_FILENO)
                              : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kInvalidArgument, "{}: cannot be opened as a log: {}", path, std::strerror(errno));
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(file)));
}

void AccessLog::Write(const Exchange& exchange) const {
  std::string line = AccessLine(exchange);
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  line += '\n';
  // A full disk must not stop the service; what is lost is a line.
  [[maybe_unused]] const ssize_t written = ::write(file_.get(), line.data(), line.size());
}

}  // namespace headrace::http
