#include "jobs/limits/moment.h"

#include "base/file.h"

namespace headrace::jobs {

Moment Moment::Now() {
  static const std::string boot = [] {
    auto text = ReadFile("/proc/sys/kernel/random/boot_id", 64).value_or("");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }();
  return {SystemClock().Now(), boot, BootClock().Now()};
}

bool HasCome(const Moment& deadline, const Moment& now) {
  if (deadline.wall == 0) return false;
  const bool same_run = !deadline.boot.empty() && deadline.boot == now.boot;
  return same_run ? now.since_boot >= deadline.since_boot : now.wall >= deadline.wall;
}

}  // namespace headrace::jobs
