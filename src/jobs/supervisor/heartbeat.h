// Heartbeat: a job that says nothing for a while is seen to live. After a minute without a line, and after twice as
// long each time, the log tells phase, elapsed time and use of processor and memory.
#pragma once

#include "base/clock.h"
#include "base/ticker.h"
#include "jobs/supervisor/reporter.h"

namespace headrace::jobs {

class Heartbeat {
 public:
  // No lines for 0. `steady`: the reporter's.
  Heartbeat(Reporter& reporter, const Clock& steady, int64_t first_millis);

 private:
  void Beat();

  Reporter& reporter_;
  const Clock& steady_;
  const int64_t first_;
  int64_t wanted_;  // the silence that the next line is for
  int64_t last_seen_ = 0;
  Ticker ticker_;
};

}  // namespace headrace::jobs
