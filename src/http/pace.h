// Pace: how long a body may keep us waiting. Only the time spent waiting for the peer counts, not what a handler takes.
// A wait uses up credit, bytes earn it, and nobody saves more than the grace he began with: who sends much at once and
// then drips is ended as soon as one who drips from the start.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "http/server.h"

namespace headrace::http {

class Pace {
 public:
  explicit Pace(const Limits& limits) : limits_(limits) {}

  // For the next wait: no longer than the stall limit, and than the credit that is left.
  std::chrono::milliseconds Allowance() const {
    return std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(credit_), std::chrono::milliseconds(1),
                      limits_.stall_time);
  }
  void Begin() { began_ = Clock::now(); }
  void End(uint64_t bytes) {
    const std::chrono::microseconds earned(bytes * 1'000'000 / std::max<uint64_t>(limits_.progress_rate, 1));
    credit_ = std::min<Clock::duration>(limits_.progress_grace, credit_ - (Clock::now() - began_) + earned);
    bytes_ += bytes;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  using Clock = std::chrono::steady_clock;
  const Limits& limits_;
  uint64_t bytes_ = 0;
  Clock::duration credit_ = limits_.progress_grace;
  Clock::time_point began_{};
};

}  // namespace headrace::http
