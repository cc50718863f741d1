// StallWatch: what every wait for other ranks asks now and then, so that none is without a name and an end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "horovod/settings.h"

namespace headrace::hvd {

// A rank that has not come.
struct Absent {
  int rank = 0;
  std::string host;
  std::string doing;    // what it said last, or empty
  bool ended = false;   // its process is gone
  bool left = false;    // it called shutdown()
  bool failed = false;  // it has given up after an error
};

std::string NameOf(const Absent& absent);  // "rank 1 (algo-2)"

class StallWatch {
 public:
  // `who` waits for `what`: "rank 0 (algo-1)", "allreduce \"loss\"".
  StallWatch(const Settings& settings, const Clock& clock, std::string who, std::string what)
      : settings_(settings), clock_(clock), who_(std::move(who)), what_(std::move(what)), since_(clock.Now()) {}

  // kUnavailable when one of them will never come, or when the limit is over. Between, one line on standard error each
  // time the warning's time has passed, if `prints`: one of those who wait does.
  Status Check(const std::vector<Absent>& missing, bool prints);

 private:
  const Settings& settings_;
  const Clock& clock_;
  const std::string who_, what_;
  const UnixMillis since_;
  int64_t warned_ms_ = 0;
};

}  // namespace headrace::hvd
