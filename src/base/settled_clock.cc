#include "base/settled_clock.h"

#include <cstdlib>

namespace headrace {
namespace {

// Clocks that are disciplined drift by far less between two calls.
constexpr int64_t kNoStepMillis = 60'000;

}  // namespace

SettledClock::SettledClock(const Clock& wall, const Clock& steady, int64_t patience_millis)
    : wall_(wall), steady_(steady), patience_(patience_millis), believed_(wall.Now() - steady.Now()) {}

UnixMillis SettledClock::Now() const {
  const std::lock_guard lock(mutex_);
  const int64_t now = steady_.Now();
  const int64_t offset = wall_.Now() - now;
  if (offset > believed_ + kNoStepMillis) {
    if (since_ < 0 || std::abs(offset - tried_) > kNoStepMillis) {
      tried_ = offset;
      since_ = now;
    }
    if (now - since_ < patience_) return now + believed_;
  }
  since_ = -1;
  believed_ = offset;
  return now + believed_;
}

}  // namespace headrace
