#include "tensor/parallel.h"

#include <vector>

#include <sched.h>

namespace headrace::tensor {
namespace {

std::vector<int> Processors() {
  std::vector<int> processors;
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &allowed)) processors.push_back(i);
  return processors;
}

}  // namespace

int NumProcessors() { return static_cast<int>(Processors().size()); }

void PinThreads(int first) {
  const std::vector<int> processors = Processors();
  if (processors.empty()) return;
#pragma omp parallel
  {
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(processors[static_cast<size_t>(first + omp_get_thread_num()) % processors.size()], &own);
    ::sched_setaffinity(0, sizeof own, &own);
  }
}

}  // namespace headrace::tensor
