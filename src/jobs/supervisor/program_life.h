// ProgramLife: the states of a job's running program, from its start to its last process's end. It knows no process:
// who runs the program sends the signals that the state asks for, and tells it what happens.
//
//   state    what it is                                               goes on when
//   kRuns    the program runs                                         it has to end: kAsking; it passes a limit:
//   kEnding kAsking  it has to end, and SIGTERM has reached none of it yet    it has: kEnding; it passes a limit:
//   kEnding kEnding  it saves its work, or was killed at a limit              it is killed when its time is over, again
//   and again kOver    the program has ended, which it may at any time
#pragma once

#include <optional>

#include "base/clock.h"

namespace headrace::jobs {

enum class ProgramState { kRuns, kAsking, kEnding, kOver };

enum class ProgramEvent { kHasToEnd, kHasHeard, kPassesALimit, kEnds };

// The table. nullopt: the event means nothing in that state.
std::optional<ProgramState> After(ProgramState state, ProgramEvent event);

// Times are of a clock that nobody sets.
class ProgramLife {
 public:
  ProgramState state() const { return state_; }
  bool is_over() const { return state_ == ProgramState::kOver; }
  bool is_ending() const { return ending_since_.has_value(); }  // or was, when it ended

  // What happens. Events that mean nothing now change nothing.
  void HasToEnd(UnixMillis now) { Begin(ProgramEvent::kHasToEnd, now); }
  void HasHeard() { Take(ProgramEvent::kHasHeard); }
  void PassesALimit(UnixMillis now) { Begin(ProgramEvent::kPassesALimit, now); }
  // Whether it is to be killed for being late. `grace`: milliseconds from when it first had to end.
  bool IsLate(UnixMillis now, UnixMillis grace) const;
  void Ends() { Take(ProgramEvent::kEnds); }

 private:
  void Take(ProgramEvent event);
  void Begin(ProgramEvent event, UnixMillis now);

  ProgramState state_ = ProgramState::kRuns;
  std::optional<UnixMillis> ending_since_;  // from the first reason to end on
};

}  // namespace headrace::jobs
