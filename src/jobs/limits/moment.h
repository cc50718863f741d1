// Moment: a point in time on two clocks: the one on the wall, which somebody may set, and the one that runs since the
// machine started. Deadlines are moments: while the machine runs a step of the wall's clock moves none of them.
#pragma once

#include <string>

#include "base/clock.h"

namespace headrace::jobs {

struct Moment {
  UnixMillis wall = 0;  // 0: no moment at all
  std::string boot;     // which run of the machine `since_boot` belongs to; "" where that cannot be told
  int64_t since_boot = 0;

  static Moment Now();
  Moment After(int64_t millis) const { return {wall + millis, boot, since_boot + millis}; }
};

// Whether `deadline` has come at `now`.
bool HasCome(const Moment& deadline, const Moment& now);

}  // namespace headrace::jobs
