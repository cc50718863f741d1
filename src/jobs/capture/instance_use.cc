#include "jobs/capture/instance_use.h"

#include <algorithm>
#include <utility>

#include <sys/statvfs.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

std::optional<double> DiskPercent(const std::string& path) {
  if (path.empty()) return std::nullopt;
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0 || status.f_blocks == 0) return 0;
  return 100.0 * static_cast<double>(status.f_blocks - status.f_bfree) / static_cast<double>(status.f_blocks);
}

uint64_t MachineMemory() {
  return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

UseSampler::UseSampler(UnixMillis since, uint64_t memory_bytes, std::string disk_path)
    : before_(since),
      memory_bytes_(memory_bytes == 0 ? MachineMemory() : std::min(memory_bytes, MachineMemory())),
      disk_path_(std::move(disk_path)) {}

InstanceUse UseSampler::Sample(UnixMillis now, const TreeUsage& usage) {
  const double seconds = static_cast<double>(now - std::exchange(before_, now)) / 1000.0;
  const uint64_t ticks_before = std::exchange(ticks_before_, usage.cpu_ticks);
  // A process that has ended takes its ticks with it, unless somebody waited for it.
  const uint64_t ticks = usage.cpu_ticks > ticks_before ? usage.cpu_ticks - ticks_before : 0;
  InstanceUse use;
  if (seconds > 0) use.cpu = 100.0 * static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)) / seconds;
  use.memory = 100.0 * static_cast<double>(usage.resident_bytes) / static_cast<double>(memory_bytes_);
  use.disk = DiskPercent(disk_path_);
  return use;
}

}  // namespace headrace::jobs
