#include "jobs/supervisor/program_life.h"

#include "base/state_table.h"

namespace headrace::jobs {

std::optional<ProgramState> After(ProgramState state, ProgramEvent event) {
  using enum ProgramState;
  using enum ProgramEvent;
  static constexpr Transition<ProgramState, ProgramEvent> kTable[] = {
      {kRuns, kHasToEnd, kAsking},  {kRuns, kPassesALimit, kCut}, {kRuns, kEnds, kOver},
      {kAsking, kHasHeard, kAsked}, {kAsking, kIsLate, kKilled},  {kAsking, kPassesALimit, kCut},
      {kAsking, kEnds, kOver},      {kAsked, kIsLate, kKilled},   {kAsked, kPassesALimit, kCut},
      {kAsked, kEnds, kOver},       {kCut, kIsLate, kKilled},     {kCut, kEnds, kOver},
      {kKilled, kIsLate, kKilled},  {kKilled, kEnds, kOver},
  };
  return NextState(kTable, state, event);
}

bool ProgramLife::Take(ProgramEvent event) {
  const auto next = After(state_, event);
  if (next) state_ = *next;
  return next.has_value();
}

// Its time begins with the first reason to end.
void ProgramLife::Begin(ProgramEvent event, UnixMillis now) {
  if (state_ == ProgramState::kRuns) ending_since_ = now;
  Take(event);
}

bool ProgramLife::IsLate(UnixMillis now, UnixMillis grace) {
  return is_ending() && now >= ending_since_ + grace && Take(ProgramEvent::kIsLate);
}

}  // namespace headrace::jobs
