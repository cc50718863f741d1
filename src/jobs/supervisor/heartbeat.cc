#include "jobs/supervisor/heartbeat.h"

#include <algorithm>
#include <chrono>

#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {
namespace {

constexpr int64_t kLongestSilence = 600'000;

std::string Shown(int64_t millis) {
  const int64_t seconds = millis / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

}  // namespace

Heartbeat::Heartbeat(Reporter& reporter, const Clock& steady, int64_t first_millis)
    : reporter_(reporter), steady_(steady), first_(first_millis), wanted_(first_millis) {
  if (first_ > 0)
    ticker_.Start(std::chrono::milliseconds(std::clamp<int64_t>(first_ / 10, 10, 1000)), [this] { Beat(); });
}

void Heartbeat::Beat() {
  const auto now = reporter_.CurrentActivity();
  if (now.phase.empty()) return;
  if (now.last_line != last_seen_) wanted_ = first_;
  last_seen_ = now.last_line;
  const auto silent = steady_.Now() - std::max(now.last_line, now.phase_began);
  if (silent < wanted_) return;
  wanted_ = std::min(2 * wanted_, wanted_ + kLongestSilence);
  std::string use;
  if (now.sampled) use = fmt::format("; CPU {:.0f} %, memory {:.1f} %", now.cpu, now.memory);
  reporter_.SayHeartbeat(fmt::format("{} since {}, no new line for {}{}", now.phase,
                                     Shown(steady_.Now() - now.phase_began), Shown(silent), use));
}

}  // namespace headrace::jobs
