#include "jobs/training/supervisor_watch.h"

#include <algorithm>

namespace headrace::jobs {
namespace {

constexpr int64_t kLongestLook = 1000;

}  // namespace

SupervisorWatch::Verdict SupervisorWatch::Look(int64_t now, const std::string& pulse, bool has_to_end) {
  const int64_t passed = last_look_ < 0 ? 0 : std::clamp<int64_t>(now - last_look_, 0, kLongestLook);
  last_look_ = now;
  still_ = !pulse.empty() && pulse == pulse_ ? still_ + passed : 0;  // an older supervisor has none
  late_ = has_to_end ? late_ + passed : 0;
  pulse_ = pulse;
  if (still_ > for_pulse_) return Verdict::kHangs;
  return late_ > for_end_ ? Verdict::kTooLate : Verdict::kWorks;
}

}  // namespace headrace::jobs
