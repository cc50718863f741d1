#include "jobs/limits/disk_use.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/descriptor.h"

namespace headrace::jobs {
namespace {

constexpr uint64_t kLeastOfFile = 4096;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

uint64_t RoomOf(const struct stat& status) {
  return std::max<uint64_t>(static_cast<uint64_t>(status.st_blocks) * 512, kLeastOfFile);
}

}  // namespace

DiskUse DiskUseBelow(const std::vector<std::string>& directories, const std::vector<std::string>& left_out) {
  std::set<std::pair<dev_t, ino_t>> seen;
  DiskUse use;
  TreeLimits no_limits;
  no_limits.entries = UINT64_MAX;
  for (const auto& path : directories) {
    const auto directory = HeldDirectory::Open(path);
    if (!directory) continue;  // not made yet
    const auto walked = directory->Walk(
        [&](const FoundEntry& entry) -> Status {
          const auto top = entry.path.substr(0, entry.path.find('/'));
          if (std::find(left_out.begin(), left_out.end(), top) != left_out.end()) return {};
          if (S_ISDIR(entry.status.st_mode) || entry.status.st_nlink < 2 ||
              seen.emplace(entry.status.st_dev, entry.status.st_ino).second)
            use.bytes += RoomOf(entry.status);
          return {};
        },
        no_limits);
    use.whole = use.whole && walked.has_value();
  }
  return use;
}

uint64_t DiskUseOfNameless(const std::vector<pid_t>& processes, const std::string& directory) {
  struct stat place {};
  if (::stat(directory.c_str(), &place) != 0) return 0;
  std::set<ino_t> seen;
  uint64_t sum = 0;
  for (const pid_t pid : processes) {
    const std::unique_ptr<DIR, CloseDirectory> entries(::opendir(("/proc/" + std::to_string(pid) + "/fd").c_str()));
    if (!entries) continue;
    while (const dirent* entry = ::readdir(entries.get())) {
      struct stat status {};
      if (entry->d_name[0] == '.' || ::fstatat(::dirfd(entries.get()), entry->d_name, &status, 0) != 0) continue;
      if (S_ISREG(status.st_mode) && status.st_nlink == 0 && status.st_dev == place.st_dev &&
          seen.insert(status.st_ino).second)
        sum += RoomOf(status);
    }
  }
  return sum;
}

}  // namespace headrace::jobs
