#include "jobs/directory/host_directory.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace headrace::jobs {

Status WriteBriefly(const std::string& path, std::string_view bytes, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot create: {}", path, std::strerror(errno));
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kResourceExhausted, "{}: cannot write: {}", path, std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

bool HostDirectory::StopRequested() const { return ::access(stop().c_str(), F_OK) == 0; }

Status HostDirectory::RequestStop() const {
  const Descriptor file(::open(stop().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot create: {}", stop(), std::strerror(errno));
  return {};
}

bool HostDirectory::SupervisorAlive() const {
  const Descriptor file(::open(lock().c_str(), O_RDONLY | O_CLOEXEC));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

bool HostDirectory::KillSupervisor() const {
  char text[32] = {};
  const Descriptor file(::open(lock().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::pread(file.get(), text, sizeof text - 1, 0) <= 0) return !SupervisorAlive();
  const auto pid = static_cast<pid_t>(std::strtol(text, nullptr, 10));
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Whoever holds the lock has written the number, and lives: it is that process, and no later one of the same number.
  if (pid <= 1 || !process || !SupervisorAlive()) return !SupervisorAlive();
  ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  pollfd ended{process.get(), POLLIN, 0};
  ::poll(&ended, 1, 2000);
  return !SupervisorAlive();
}

Result<Descriptor> HostDirectory::Lock() const {
  Descriptor file(::open(lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open: {}", lock(), std::strerror(errno));
  // The platform's own probe may hold it for an instant.
  for (int attempt = 0; ::flock(file.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (attempt == 50) return Fail(ErrorCode::kFailedPrecondition, "{}: held by another supervisor", lock());
    ::usleep(2000);
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot write: {}", lock(), std::strerror(errno));
  return file;
}

}  // namespace headrace::jobs
