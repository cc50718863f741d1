// Pace: how long a body may keep us waiting. Only the time spent waiting for the peer counts, not what a handler takes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "http/server.h"

namespace headrace::http {

class Pace {
 public:
  explicit Pace(const Limits& limits) : limits_(limits) {}

  // For the next wait: no longer than the stall limit, and than what the average rate has left.
  std::chrono::milliseconds Allowance() const {
    const auto earned = std::chrono::milliseconds(bytes_ * 1000 / std::max<uint64_t>(limits_.progress_rate, 1));
    const auto left = limits_.progress_grace + earned - std::chrono::duration_cast<std::chrono::milliseconds>(waited_);
    return std::clamp(left, std::chrono::milliseconds(1), limits_.stall_time);
  }
  void Begin() { began_ = Clock::now(); }
  void End(uint64_t bytes) {
    waited_ += Clock::now() - began_;
    bytes_ += bytes;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  using Clock = std::chrono::steady_clock;
  const Limits& limits_;
  uint64_t bytes_ = 0;
  Clock::duration waited_{};
  Clock::time_point began_{};
};

}  // namespace headrace::http
