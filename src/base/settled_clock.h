// SettledClock: the time on the wall for those who delete what is old. A clock that is set forward by mistake would
// have them delete everything: a step forward is believed only once it has lasted. A step back deletes nothing, and is
// believed at once.
#pragma once

#include <mutex>

#include "base/clock.h"

namespace headrace {

class SettledClock : public Clock {
 public:
  // `steady` is a clock that nobody sets. Both outlive this one, which believes what `wall` says now.
  SettledClock(const Clock& wall, const Clock& steady, int64_t patience_millis);

  // Never later than the time on the wall. While a step forward is on trial, the time it would be without it. Only
  // calls see steps: whoever calls seldom, once an hour say, waits until the call after the patience is over.
  UnixMillis Now() const override;

 private:
  const Clock& wall_;
  const Clock& steady_;
  const int64_t patience_;
  mutable std::mutex mutex_;
  mutable int64_t believed_;  // wall minus steady
  mutable int64_t tried_ = 0,
                  since_ = -1;  // the same of a step on trial, and when (steady) it was first seen; -1: none
};

}  // namespace headrace
