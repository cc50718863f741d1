// HeapTrim: gives freed memory back to the system while the server runs. What is freed lies between what is in use, so
// that glibc by itself keeps most of it: after a minute of large requests that would be memory for good.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace headrace::apps {

class HeapTrim {
 public:
  // Looks once in `interval`.
  explicit HeapTrim(std::chrono::milliseconds interval);
  HeapTrim(const HeapTrim&) = delete;
  HeapTrim& operator=(const HeapTrim&) = delete;
  ~HeapTrim();

 private:
  void Work();

  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool stopping_ = false;
  std::thread thread_;
};

// Trims when this process has become larger than `resident` bytes by more than 16 MiB. Returns what the next call is to
// be told: the size after the trim, or the smaller of `resident` and the size now.
size_t TrimIfGrown(size_t resident);

}  // namespace headrace::apps
