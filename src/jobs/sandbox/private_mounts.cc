#include "jobs/sandbox/private_mounts.h"

#include <cerrno>

#include <sys/wait.h>
#include <unistd.h>

#include "jobs/process/child.h"

namespace headrace::jobs {

bool CanMountPrivately() {
  if (::geteuid() != 0) return false;
  const auto child = StartChild({.arguments = {"/bin/true"}, .binds = {{"/dev", "/dev"}}});
  if (!child) return false;
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace headrace::jobs
