// Retention: a timer that deletes log events and metric samples that have outlived their time.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "base/result.h"
#include "base/ticker.h"
#include "store/meta/database.h"

namespace headrace::apps {

struct RetentionOptions {
  int64_t metric_days = 455;  // CloudWatch's longest; 0: for ever. Log groups say their own time (PutRetentionPolicy).
  std::chrono::milliseconds interval = std::chrono::hours(1);  // between passes; the first comes after one
};

class Retention {
 public:
  Retention(store::Database& database, const Clock& clock, RetentionOptions options);

  void Start();
  void Stop() { ticker_.Stop(); }

  // One pass, in steps between which others can write. Returns how many events and samples are gone.
  Result<int64_t> Pass();

 private:
  void PassAndTell();

  store::Database& database_;
  const Clock& clock_;
  const RetentionOptions options_;
  Ticker ticker_;
};

}  // namespace headrace::apps
