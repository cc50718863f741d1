// Processes below another one, as /proc shows them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace headrace::jobs {

// In ascending order.
std::vector<pid_t> AllProcesses();
// 0 when it is gone.
pid_t ParentOf(pid_t pid);

// All living descendants of `root`, without itself. Those of a process that has died belong to whoever adopted them.
std::vector<pid_t> Descendants(pid_t root);

// Those of them that the kernel calls so, with all that is below them.
std::vector<pid_t> TreesOf(const std::vector<pid_t>& processes, std::string_view name);

struct TreeUsage {
  uint64_t resident_bytes = 0;  // summed; pages shared by processes count once a process
  uint64_t cpu_ticks = 0;       // of the living and of children they have waited for
  int processes = 0;
  int threads = 0;  // of all of them
};
TreeUsage UsageOf(const std::vector<pid_t>& processes);

// Proportional set size: shared pages count once in all. Slower than UsageOf. Without pages of tmpfs and the like when
// these are counted elsewhere.
uint64_t ProportionalBytes(const std::vector<pid_t>& processes, bool without_shared_memory = false);

}  // namespace headrace::jobs
