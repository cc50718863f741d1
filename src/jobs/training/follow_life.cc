#include "jobs/training/follow_life.h"

#include "base/state_table.h"

namespace headrace::jobs {
std::optional<FollowState> After(FollowState state, FollowEvent event) {
  using enum FollowState;
  using enum FollowEvent;
  static constexpr Transition<FollowState, FollowEvent> kTable[] = {
      {kBeginning, kRuns, kFollowing}, {kBeginning, kFinal, kConcluding}, {kFollowing, kHasRun, kEnded},
      {kEnded, kRuns, kFollowing},     {kEnded, kFinal, kConcluding},
  };
  return NextState(kTable, state, event);
}

bool FollowLife::Take(FollowEvent event) {
  const auto next = After(state_, event);
  if (next) state_ = *next;
  return next.has_value();
}

void FollowLife::HasRun(int64_t now) {
  if (Take(FollowEvent::kHasRun)) ended_ = now;
}

void FollowLife::Final(const JobEnd& end) {
  if (Take(FollowEvent::kFinal)) end_ = end;
}

bool FollowLife::AwaitsSupervisors(int64_t now) const {
  return state_ == FollowState::kEnded && now - ended_ < kPartingMillis;
}

}  // namespace headrace::jobs
