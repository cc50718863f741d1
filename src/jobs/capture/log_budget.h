// LogBudget: which lines of a program a log keeps that may have so many bytes: the first ones as they come, and, once
// these have used up their part, the last ones at the end. What lies between is counted.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace headrace::jobs {

class LogBudget {
 public:
  static constexpr uint64_t kBytesOfLine = 26;  // that a log event costs besides its text, as CloudWatch counts

  // 0: no limit.
  explicit LogBudget(uint64_t bytes);

  // True: keep the line now. False: it is held back, or counted.
  bool Take(std::string_view line);

  struct Rest {
    uint64_t lines = 0, bytes = 0;  // that were left out
    std::deque<std::string> last;   // to be kept behind them
  };
  // What is to be said at the end of a program. The next one goes on with what is left.
  Rest Finish();

 private:
  const bool limited_;
  uint64_t room_, room_at_end_;
  uint64_t held_bytes_ = 0;
  Rest rest_;
};

}  // namespace headrace::jobs
