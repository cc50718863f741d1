// The time, as a seam: servers and state machines take a Clock, tests hand them one that they move themselves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace headrace {

// Milliseconds since 1970-01-01T00:00:00Z.
using UnixMillis = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMillis Now() const = 0;
};

class SystemClock : public Clock {
 public:
  UnixMillis Now() const override {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  }
};

// Milliseconds since the machine started, for durations and deadlines: nobody sets it, and it is the same for all
// processes.
class BootClock : public Clock {
 public:
  UnixMillis Now() const override {
    struct timespec now {};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1'000'000;
  }
};

// For tests: stands still until it is moved.
class ManualClock : public Clock {
 public:
  explicit ManualClock(UnixMillis now) : now_(now) {}
  UnixMillis Now() const override { return now_; }
  void Advance(int64_t milliseconds) { now_ += milliseconds; }

 private:
  std::atomic<UnixMillis> now_;
};

}  // namespace headrace
