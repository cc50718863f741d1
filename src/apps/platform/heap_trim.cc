#include "apps/platform/heap_trim.h"

#include <algorithm>
#include <cstdlib>

#include <malloc.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::apps {
namespace {

constexpr size_t kGrownBytes = size_t{16} << 20;

// 0 where it cannot be told.
size_t ResidentBytes() {
  const auto sizes = ReadFile("/proc/self/statm", 256).value_or("");  // in pages: all, resident, …
  const auto space = sizes.find(' ');
  if (space == std::string::npos) return 0;
  return std::strtoull(sizes.c_str() + space, nullptr, 10) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

HeapTrim::HeapTrim(std::chrono::milliseconds interval) : least_(ResidentBytes()) {
  ticker_.Start(interval, [this] { least_ = TrimIfGrown(least_); });
}

size_t TrimIfGrown(size_t least) {
  const size_t now = ResidentBytes();
  if (now <= least + kGrownBytes) return std::min(now, least);
  ::malloc_trim(0);
  return std::min(ResidentBytes(), least);
}

}  // namespace headrace::apps
