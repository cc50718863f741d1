#include "base/descriptor_limit.h"

#include <mutex>

#include <sys/resource.h>

namespace headrace {
namespace {

rlimit limit_at_start{};
bool is_raised = false;

}  // namespace

size_t DescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return limit.rlim_cur;
}

size_t RaiseDescriptorLimit() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (::getrlimit(RLIMIT_NOFILE, &limit_at_start) != 0 || limit_at_start.rlim_cur == limit_at_start.rlim_max) return;
    rlimit raised = limit_at_start;
    raised.rlim_cur = raised.rlim_max;
    is_raised = ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
  });
  return DescriptorLimit();
}

void GiveBackDescriptorLimit() {
  if (is_raised) ::setrlimit(RLIMIT_NOFILE, &limit_at_start);
}

}  // namespace headrace
