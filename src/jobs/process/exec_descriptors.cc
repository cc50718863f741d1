#include "jobs/process/exec_descriptors.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace headrace::jobs {

void CloseAtExec(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  // A kernel before 5.11: one after the other.
  rlimit limit{};
  const rlim_t most =
      ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (1U << 20) ? limit.rlim_cur : 1U << 20;
  for (auto fd = static_cast<int>(first); static_cast<rlim_t>(fd) < most; ++fd)
    if (const int flags = ::fcntl(fd, F_GETFD); flags >= 0) ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

}  // namespace headrace::jobs
