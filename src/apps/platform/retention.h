// Retention: a timer that deletes log events and metric samples that have outlived their time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/database.h"

namespace headrace::apps {

struct RetentionOptions {
  int64_t metric_days = 455;  // CloudWatch's longest; 0: for ever. Log groups say their own time (PutRetentionPolicy).
  std::chrono::milliseconds interval = std::chrono::hours(1);  // between passes; the first comes after one
};

class Retention {
 public:
  Retention(store::Database& database, const Clock& clock, RetentionOptions options);
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;
  ~Retention();  // Stop()

  void Start();
  void Stop();

  // One pass, in steps between which others can write. Returns how many events and samples are gone.
  Result<int64_t> Pass();

 private:
  bool Sleep(std::chrono::milliseconds time);  // false when it is time to stop

  store::Database& database_;
  const Clock& clock_;
  const RetentionOptions options_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace headrace::apps
