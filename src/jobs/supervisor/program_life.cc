#include "jobs/supervisor/program_life.h"

#include "base/state_table.h"

namespace headrace::jobs {

std::optional<ProgramState> After(ProgramState state, ProgramEvent event) {
  using enum ProgramState;
  using enum ProgramEvent;
  static constexpr Transition<ProgramState, ProgramEvent> kTable[] = {
      {kRuns, kHasToEnd, kAsking},   {kRuns, kPassesALimit, kEnding},   {kRuns, kEnds, kOver},
      {kAsking, kHasHeard, kEnding}, {kAsking, kPassesALimit, kEnding}, {kAsking, kEnds, kOver},
      {kEnding, kEnds, kOver},
  };
  return NextState(kTable, state, event);
}

void ProgramLife::Take(ProgramEvent event) {
  if (const auto next = After(state_, event)) state_ = *next;
}

void ProgramLife::Begin(ProgramEvent event, UnixMillis now) {
  if (state_ == ProgramState::kRuns) ending_since_ = now;
  Take(event);
}

bool ProgramLife::IsLate(UnixMillis now, UnixMillis grace) const {
  return ending_since_ && !is_over() && now >= *ending_since_ + grace;
}

}  // namespace headrace::jobs
