// How many elements are handed from thread to thread at once: enough to be worth a lock and a wake-up, and no more, so
// that slow stages deliver early. It never decides what is computed, only when.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

namespace headrace::data {

class BlockSize {
 public:
  using Clock = std::chrono::steady_clock;

  size_t value() const { return value_.load(std::memory_order_relaxed); }

  // A block of `size` elements took so long.
  void Observe(size_t size, Clock::duration took) {
    constexpr size_t kMost = 32;
    constexpr auto kShort = std::chrono::microseconds(50), kLong = std::chrono::microseconds(400);
    const size_t now = value();
    if (took < kShort && size == now && now < kMost) value_.store(2 * now, std::memory_order_relaxed);
    if (took > kLong && now > 1) value_.store(now / 2, std::memory_order_relaxed);
  }

 private:
  std::atomic<size_t> value_{1};
};

}  // namespace headrace::data
