#include "jobs/hosting/core_shares.h"

#include <algorithm>

#include <sched.h>

namespace headrace::jobs {

CoreShares::CoreShares() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) users_[cpu] = 0;
  if (users_.empty()) users_[0] = 0;
}

std::vector<int> CoreShares::Take(int count) {
  const std::lock_guard lock(mutex_);
  std::vector<int> cores;
  for (const auto& [core, users] : users_) cores.push_back(core);
  std::stable_sort(cores.begin(), cores.end(), [this](int a, int b) { return users_[a] < users_[b]; });
  if (count > 0 && static_cast<size_t>(count) < cores.size()) cores.resize(static_cast<size_t>(count));
  for (const int core : cores) ++users_[core];
  std::sort(cores.begin(), cores.end());
  return cores;
}

void CoreShares::GiveBack(const std::vector<int>& cores) {
  const std::lock_guard lock(mutex_);
  for (const int core : cores) --users_[core];
}

}  // namespace headrace::jobs
