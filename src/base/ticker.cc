#include "base/ticker.h"

#include <utility>

namespace headrace {

void Ticker::Start(std::chrono::milliseconds interval, std::function<void()> tick) {
  thread_ = std::thread([this, interval, tick = std::move(tick)] {
    while (Sleep(interval)) tick();
  });
}

void Ticker::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakeup_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Ticker::Sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wakeup_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace headrace
