#include "data/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::data {
namespace {

// How long a read of a FIFO goes without looking at the stop flag.
constexpr int kPollMilliseconds = 50;

class FileSource : public ByteSource {
 public:
  FileSource(std::string path, int fd, bool waits, std::shared_ptr<const std::atomic<bool>> stop)
      : path_(std::move(path)), fd_(fd), waits_(waits), stop_(std::move(stop)) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(fd_); }

  Result<size_t> Read(char* out, size_t size) override {
    while (true) {
      if (waits_) HEADRACE_TRY(WaitForBytes());
      const ssize_t n = ::read(fd_, out, size);
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR && errno != EAGAIN)
        return Fail(ErrorCode::kUnavailable, "{}: cannot read: {}", path_, std::strerror(errno));
    }
  }

 private:
  Status WaitForBytes() {
    pollfd waiting{fd_, POLLIN, 0};
    while (::poll(&waiting, 1, kPollMilliseconds) <= 0) {
      if (stop_ && stop_->load()) return Fail(ErrorCode::kUnavailable, "{}: reading was stopped", path_);
    }
    return {};
  }

  std::string path_;
  int fd_;
  bool waits_;  // a FIFO or terminal: non-blocking, polled
  std::shared_ptr<const std::atomic<bool>> stop_;
};

// The first bytes, read for sniffing, then the rest.
class PrefixedSource : public ByteSource {
 public:
  PrefixedSource(std::string prefix, std::unique_ptr<ByteSource> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}

  Result<size_t> Read(char* out, size_t size) override {
    if (done_ == prefix_.size()) return rest_->Read(out, size);
    const size_t n = std::min(size, prefix_.size() - done_);
    std::memcpy(out, prefix_.data() + done_, n);
    done_ += n;
    return n;
  }

 private:
  std::string prefix_;
  size_t done_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

Result<std::string> ReadFirst(ByteSource& source, size_t wanted) {
  std::string first(wanted, '\0');
  size_t have = 0;
  while (have < wanted) {
    HEADRACE_ASSIGN(const size_t n, source.Read(&first[have], wanted - have));
    if (n == 0) break;
    have += n;
  }
  first.resize(have);
  return first;
}

Compression Sniff(std::string_view first, LooksPlain looks_plain) {
  if (first.size() < 2 || (looks_plain != nullptr && looks_plain(first))) return Compression::kNone;
  const auto a = static_cast<uint8_t>(first[0]), b = static_cast<uint8_t>(first[1]);
  if (a == 0x1f && b == 0x8b) return Compression::kGzip;
  // RFC 1950: deflate with a 32 KiB window, and a header that is a multiple of 31.
  if (a == 0x78 && (a * 256 + b) % 31 == 0) return Compression::kZlib;
  return Compression::kNone;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenFile(const std::string& path, std::shared_ptr<const std::atomic<bool>> stop) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer where nothing could stop it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition, "{}: cannot open: {}", path,
                std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(fd, &status) == 0;
  if (known && S_ISDIR(status.st_mode)) {
    ::close(fd);
    return Fail(ErrorCode::kInvalidArgument, "{}: found a directory, wanted a file", path);
  }
  const bool regular = known && S_ISREG(status.st_mode);
  if (regular) ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileSource>(path, fd, !regular, std::move(stop));
}

Result<std::unique_ptr<ByteSource>> OpenBytes(const std::string& path, Compression compression, LooksPlain looks_plain,
                                              std::shared_ptr<const std::atomic<bool>> stop) {
  HEADRACE_ASSIGN(auto source, OpenFile(path, std::move(stop)));
  if (compression == Compression::kAuto) {
    constexpr size_t kSniffBytes = 16;
    HEADRACE_ASSIGN(auto first, ReadFirst(*source, kSniffBytes));
    compression = Sniff(first, looks_plain);
    source = std::make_unique<PrefixedSource>(std::move(first), std::move(source));
  }
  if (compression == Compression::kNone) return source;
  return Inflate(std::move(source), path, compression);
}

}  // namespace headrace::data
