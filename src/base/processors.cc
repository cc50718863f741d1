#include "base/processors.h"

#include <sched.h>

namespace headrace {

std::vector<int> Processors() {
  std::vector<int> processors;
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &allowed)) processors.push_back(i);
  return processors;
}

void BindThisThread(const std::vector<int>& processors, size_t index) {
  if (processors.empty()) return;
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(processors[index % processors.size()], &own);
  ::sched_setaffinity(0, sizeof own, &own);
}

}  // namespace headrace
