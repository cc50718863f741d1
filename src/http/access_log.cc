#include "http/access_log.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::http {
namespace {

constexpr size_t kLongestTarget = 2048;

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

// What a stranger sends must not fill the disk.
std::string Shortened(std::string text, size_t most) {
  if (text.size() <= most) return text;
  text.resize(most);
  return text + "...";
}

}  // namespace

std::string AccessLine(const Exchange& exchange) {
  const Request& request = exchange.request;
  return fmt::format("{} {} {} {} {} {}{} in={} out={} {:.1f}ms {}", Time(request.received), request.id, request.peer,
                     Shortened(Printable(request.method), 32),
                     Shortened(Printable(request.path) + WithoutSecrets(request.query), kLongestTarget),
                     exchange.status, exchange.complete ? "" : "!", exchange.received_bytes, exchange.sent_bytes,
                     exchange.seconds * 1000, request.log_detail.empty() ? "-" : request.log_detail);
}

Result<std::unique_ptr<AccessLog>> AccessLog::Open(const std::string& path, uint64_t most_bytes) {
  Descriptor file(path == "-" ? ::dup(STDOUT_FILENO)
                              : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kInvalidArgument, "{}: cannot be opened as a log: {}", path, std::strerror(errno));
  std::unique_ptr<AccessLog> log(new AccessLog(std::move(file), most_bytes));
  struct stat status {};
  if (::fstat(log->file_.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    log->path_ = path;
    log->size_ = static_cast<uint64_t>(status.st_size);
  }
  return log;
}

// The last one becomes PATH.1. The descriptor's number stays, so that nobody who writes meanwhile notices.
void AccessLog::BeginAnew() {
  const std::lock_guard lock(mutex_);
  if (size_ < most_bytes_) return;
  size_ = 0;
  ::rename(path_.c_str(), (path_ + ".1").c_str());
  const Descriptor fresh(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (fresh) ::dup3(fresh.get(), file_.get(), O_CLOEXEC);
}

void AccessLog::Write(const Exchange& exchange) {
  std::string line = AccessLine(exchange);
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  line += '\n';
  // A full disk must not stop the service; what is lost is a line.
  [[maybe_unused]] const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (!path_.empty() && (size_ += line.size()) >= most_bytes_) BeginAnew();
}

}  // namespace headrace::http
