// HeapTrim: gives freed memory back to the system while the server runs. What is freed lies between what is in use, so
// that glibc by itself keeps most of it: after a minute of large requests that would be memory for good.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/ticker.h"

namespace headrace::apps {

class HeapTrim {
 public:
  // Looks once in `interval`.
  explicit HeapTrim(std::chrono::milliseconds interval);

 private:
  size_t least_;
  Ticker ticker_;
};

// Trims when this process is larger than `least` bytes by more than 16 MiB. Returns what the next call is to be told:
// the smallest size that was seen. So a process that is large for good is trimmed each time: what is in use at one time
// may be free at the next, and freeing alone gives little of it back.
size_t TrimIfGrown(size_t least);

}  // namespace headrace::apps
