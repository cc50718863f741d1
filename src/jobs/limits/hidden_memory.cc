#include "jobs/limits/hidden_memory.h"

#include <set>
#include <string>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/descriptor.h"

namespace headrace::jobs {
namespace {

constexpr const char* kPlacesInMemory[] = {".", "dev", "dev/shm", "run", "var/tmp"};

}  // namespace

uint64_t HiddenMemory(const std::vector<pid_t>& processes) {
  for (const pid_t pid : processes) {
    const Descriptor root(::open(("/proc/" + std::to_string(pid) + "/root").c_str(), O_PATH | O_CLOEXEC));
    if (!root) continue;
    std::set<dev_t> seen;
    uint64_t bytes = 0;
    for (const char* place : kPlacesInMemory) {
      const Descriptor directory(::openat(root.get(), place, O_PATH | O_NOFOLLOW | O_CLOEXEC));
      struct stat status {};
      struct statfs file_system {};
      if (!directory || ::fstat(directory.get(), &status) != 0 || ::fstatfs(directory.get(), &file_system) != 0)
        continue;
      if (file_system.f_type != TMPFS_MAGIC || !seen.insert(status.st_dev).second) continue;
      bytes += (file_system.f_blocks - file_system.f_bfree) * static_cast<uint64_t>(file_system.f_bsize);
    }
    return bytes;
  }
  return 0;
}

}  // namespace headrace::jobs
