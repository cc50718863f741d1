#include "base/file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace {
namespace {

constexpr std::string_view kUnfinished = ".headrace-tmp";

ErrorCode CodeOfErrno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kFailedPrecondition;
  }
}

tl::unexpected<Error> FailErrno(const std::string& path, const char* what) {
  const int error = errno;
  return Fail(CodeOfErrno(error), "{}: cannot {}: {}", path, what, std::strerror(error));
}

const char* KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

std::string DirectoryOf(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FailErrno(path, "open");
  std::string bytes;
  char chunk[1 << 16];
  while (true) {
    const ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto failure = FailErrno(path, "read");
      ::close(fd);
      return failure;
    }
    if (n == 0) break;
    if (bytes.size() + static_cast<size_t>(n) > max_bytes) {
      ::close(fd);
      return Fail(ErrorCode::kResourceExhausted, "{}: larger than the limit of {} bytes", path, max_bytes);
    }
    bytes.append(chunk, static_cast<size_t>(n));
  }
  ::close(fd);
  return bytes;
}

Result<RegularFile> OpenRegularFile(const std::string& path) {
  RegularFile file{Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)), 0};
  struct stat status = {};
  if (!file.descriptor || ::fstat(file.descriptor.get(), &status) != 0) return FailErrno(path, "open");
  if (!S_ISREG(status.st_mode))
    return Fail(ErrorCode::kFailedPrecondition, "{}: found {}, wanted an ordinary file", path, KindOf(status.st_mode));
  file.bytes = static_cast<uint64_t>(status.st_size);
  return file;
}

Result<std::string> ReadRegularFile(const std::string& path, size_t max_bytes) {
  HEADRACE_ASSIGN(const RegularFile file, OpenRegularFile(path));
  if (file.bytes > max_bytes)
    return Fail(ErrorCode::kResourceExhausted, "{}: {} bytes, larger than the limit of {} bytes", path, file.bytes,
                max_bytes);
  std::string bytes(file.bytes, '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t n = ::read(file.descriptor.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path, "read");
    if (n == 0) break;  // it was cut while we read it
    have += static_cast<size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

Result<AtomicFile> AtomicFile::Create(const std::string& path) {
  AtomicFile file;
  file.path_ = path;
  // Two writers of one path, in one process or in several, each have a file of their own.
  static std::atomic<uint64_t> created{0};
  file.temporary_ = fmt::format("{}.{}.{}{}", path, ::getpid(), ++created, kUnfinished);
  file.fd_ = ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file.fd_ < 0) return FailErrno(file.temporary_, "create");
  return file;
}

bool IsUnfinishedFile(std::string_view name) { return name.ends_with(kUnfinished); }

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::move(other.temporary_)), fd_(std::exchange(other.fd_, -1)) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

Status AtomicFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(temporary_, "write");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status AtomicFile::Commit() {
  if (::fsync(fd_) != 0) return FailErrno(temporary_, "flush");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return FailErrno(path_, "rename into place");
  ::close(std::exchange(fd_, -1));
  const int directory = ::open(DirectoryOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  HEADRACE_ASSIGN(auto file, AtomicFile::Create(path));
  HEADRACE_TRY(file.Write(bytes));
  return file.Commit();
}

bool LockExclusively(int fd, int wait_millis) {
  constexpr int kPauseMillis = 10;
  for (int waited = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; waited += kPauseMillis) {
    if (waited >= wait_millis || (errno != EWOULDBLOCK && errno != EINTR)) return false;
    ::usleep(kPauseMillis * 1000);
  }
  return true;
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Fail(CodeOfErrno(error.value()), "{}: cannot create the directory: {}", path, error.message());
  return {};
}

}  // namespace headrace
