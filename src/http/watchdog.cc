#include "http/watchdog.h"

#include <utility>

namespace headrace::http {

Watchdog::Watchdog(boost::asio::any_io_executor executor, std::function<void()> bite)
    : timer_(std::move(executor)), bite_(std::move(bite)) {}

void Watchdog::Start(std::chrono::milliseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  deadline_ = now + limit;
  if (!set_ || deadline_ < timer_.expiry()) SetTimer();
}

void Watchdog::Retire() {
  retired_ = true;
  timer_.cancel();
}

void Watchdog::SetTimer() {
  set_ = true;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->Look();  // else it was set anew
  });
}

void Watchdog::Look() {
  set_ = false;
  if (retired_ || deadline_ == TimePoint::max()) return;
  if (deadline_ > std::chrono::steady_clock::now()) return SetTimer();
  bitten_ = true;
  bite_();
}

}  // namespace headrace::http
