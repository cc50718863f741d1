// SupervisorWatch: what may be concluded about a supervisor process that lives.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::jobs {

class SupervisorWatch {
 public:
  enum class Verdict {
    kWorks,
    kHangs,    // its pulse has stood still for too long
    kTooLate,  // it has to end, and has not for too long
  };

  // Milliseconds of patience for each.
  SupervisorWatch(int64_t for_pulse, int64_t for_end) : for_pulse_(for_pulse), for_end_(for_end) {}

  // At `now` of a clock that nobody sets. Time in which nobody looked, because this process or the machine slept,
  // counts for a second at most.
  Verdict Look(int64_t now, const std::string& pulse, bool has_to_end);

 private:
  const int64_t for_pulse_, for_end_;
  int64_t last_look_ = -1, still_ = 0, late_ = 0;
  std::string pulse_;
};

}  // namespace headrace::jobs
