// Ticker: a thread that does the same again and again, until it is told to stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace headrace {

class Ticker {
 public:
  Ticker() = default;
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker() { Stop(); }

  // Once. `tick` is called on the thread, the first time after `interval`, and so long after each call. What it uses
  // lives until Stop(): as a member, a ticker comes last.
  void Start(std::chrono::milliseconds interval, std::function<void()> tick);
  // Waits for the call that is under way. There is none after it.
  void Stop();
  // For a call that takes a while: false when it is time to stop.
  bool Sleep(std::chrono::milliseconds time);

 private:
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace headrace
