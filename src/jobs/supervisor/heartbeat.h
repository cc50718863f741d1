// Heartbeat: a job that says nothing for a while is seen to live. After a minute without a line, and after twice as
// long each time, the log tells phase, elapsed time and use of processor and memory.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "jobs/supervisor/reporter.h"

namespace headrace::jobs {

class Heartbeat {
 public:
  // No lines for 0. `steady`: the reporter's.
  Heartbeat(Reporter& reporter, const Clock& steady, int64_t first_millis);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat();

 private:
  void Beat();

  Reporter& reporter_;
  const Clock& steady_;
  const int64_t first_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace headrace::jobs
