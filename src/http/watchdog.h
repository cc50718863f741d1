// Watchdog: a time limit for whatever operation a connection waits in. Starting a wait costs a clock reading: the timer
// behind it is set again only when it has run out or the limit moves closer.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace headrace::http {

class Watchdog : public std::enable_shared_from_this<Watchdog> {
 public:
  // `bite` runs on `executor` when a limit has passed.
  Watchdog(boost::asio::any_io_executor executor, std::function<void()> bite);

  void Start(std::chrono::milliseconds limit);  // a wait begins
  void End() {                                  // it is over
    deadline_ = TimePoint::max();
    since_ = 0;
  }
  void Retire();  // for good
  bool bitten() const { return bitten_; }
  // When the wait began, in ticks of the steady clock; 0 when there is none. Any thread.
  int64_t waiting_since() const { return since_.load(std::memory_order_relaxed); }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  void SetTimer();
  void Look();

  boost::asio::steady_timer timer_;
  std::function<void()> bite_;
  TimePoint deadline_ = TimePoint::max();
  std::atomic<int64_t> since_ = 0;
  bool set_ = false, bitten_ = false, retired_ = false;
};

}  // namespace headrace::http
