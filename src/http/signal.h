// Signal: a coroutine waits until another thread has something for it.
#pragma once

#include <functional>
#include <mutex>

#include "http/message.h"

namespace headrace::http {

class Signal {
 public:
  // From any thread: wakes the coroutine that waits, or lets the next Wait return at once. Twice counts once.
  void Set();
  // One coroutine at a time.
  Task<void> Wait();

 private:
  std::mutex mutex_;
  bool set_ = false;
  std::function<void()> wake_;  // of who waits
};

}  // namespace headrace::http
