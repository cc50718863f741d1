// Patience: how a wait for another machine passes its time. Messages ring no bell, so it looks again and again: it
// keeps the processor busy at first, then lets others run in between, then naps.
#pragma once

#include <chrono>
#include <thread>
#include <utility>

namespace headrace::hvd {

class Patience {
 public:
  // Something has come: the wait begins anew.
  void Moved() { moved_ = Clock::now(); }

  // Between two looks. True ten times a second: time to ask whether the wait has become hopeless.
  bool Rest() {
    using std::chrono::microseconds;
    constexpr microseconds kBusy{50}, kYielding{2'000}, kNap{30}, kAsk{100'000};
    const auto now = Clock::now();
    const auto still = now - moved_;
    if (still > kYielding)
      std::this_thread::sleep_for(kNap);
    else if (still > kBusy)
      std::this_thread::yield();
    if (now - asked_ < kAsk) return false;
    asked_ = now;
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point moved_ = Clock::now(), asked_ = moved_;
};

}  // namespace headrace::hvd
