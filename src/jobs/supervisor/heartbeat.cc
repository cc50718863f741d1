#include "jobs/supervisor/heartbeat.h"

#include <algorithm>

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
    : reporter_(reporter), steady_(steady), first_(first_millis) {
  if (first_ > 0) thread_ = std::thread([this] { Beat(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wakeup_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::Beat() {
  int64_t wanted = first_;
  int64_t last_seen = 0;
  std::unique_lock lock(mutex_);
  while (!wakeup_.wait_for(lock, std::chrono::milliseconds(std::clamp<int64_t>(first_ / 10, 10, 1000)),
                           [this] { return ended_; })) {
    const auto now = reporter_.CurrentActivity();
    if (now.phase.empty()) continue;
    if (now.last_line != last_seen) wanted = first_;
    last_seen = now.last_line;
    const auto silent = steady_.Now() - std::max(now.last_line, now.phase_began);
    if (silent < wanted) continue;
    wanted = std::min(2 * wanted, wanted + kLongestSilence);
    std::string use;
    if (now.sampled) use = fmt::format("; CPU {:.0f} %, memory {:.1f} %", now.cpu, now.memory);
    reporter_.SayHeartbeat(fmt::format("{} since {}, no new line for {}{}", now.phase,
                                       Shown(steady_.Now() - now.phase_began), Shown(silent), use));
  }
}

}  // namespace headrace::jobs
