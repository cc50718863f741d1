// SlotLife: the states of one place for an instance, from which a model server is started, watched, started again and
// in the end let go. It knows no process: the generation that owns the slot tells it what happens, and does what the
// state asks for.
//
//   state      what it is                                                 goes on when
//   kIdle      no process; one is to be started at restart_at()           it is started
//   kStarting  a process that does not listen yet                         it listens, or ends
//   kProbing   it listens, and has answered no ping yet                   it answers, or ends
//   kServing   it has answered: routes may lead to it                     it ends
//   kEnding    ended, or killed, and not reaped                           it is reaped: kIdle
//   kLeaving   serves, is to go for good, and a route may lead to it      no route does any more, or it ends
//   kDraining  answers what it has, until leave_by()                      it has nothing left, or ends
//   kClosing   ended, or killed, for good, and not reaped                 it is reaped: kGone
//   kGone      no process, and never one again
#pragma once

#include <optional>

#include "base/clock.h"

namespace headrace::jobs {

enum class SlotState { kIdle, kStarting, kProbing, kServing, kEnding, kLeaving, kDraining, kClosing, kGone };

enum class SlotEvent {
  kStarts,    // a process
  kListens,   // the process, at its socket
  kAnswers,   // the process, to a ping
  kEnds,      // the process, by itself or killed
  kReaped,    // nothing is left of the process
  kLeave,     // the slot is not wanted any more
  kUnrouted,  // no new request can reach it
  kClose,     // it has nothing to answer any more, or no more time: the process is killed
};

// The table. nullopt: the event means nothing in that state.
std::optional<SlotState> After(SlotState state, SlotEvent event);

// Times are of a clock that nobody sets.
class SlotLife {
 public:
  SlotState state() const { return state_; }
  bool leaving() const { return state_ >= SlotState::kLeaving; }
  bool serving() const { return state_ == SlotState::kServing; }
  bool has_process() const { return state_ != SlotState::kIdle && state_ != SlotState::kGone; }

  // What happens. Events that mean nothing now change nothing.
  void Starts(UnixMillis now);
  void Listens() { Take(SlotEvent::kListens); }
  void Ends() { Take(SlotEvent::kEnds); }
  // Or not even started. A slot that stays is to be started again, at restart_at().
  void Reaped(UnixMillis now, bool by_signal);
  void Leave(UnixMillis leave_by);
  void Unrouted() { Take(SlotEvent::kUnrouted); }
  void Close() { Take(SlotEvent::kClose); }

  // Pings: the first answer makes it serve.
  void Answers(UnixMillis now);
  // True when it has been silent too often: the process hangs.
  bool IsSilent(UnixMillis now);
  // The process is killed as one that hangs, starts for too long, or takes too much. One that never served has used up
  // its chances.
  void GivenUp();

  UnixMillis restart_at() const { return restart_at_; }
  UnixMillis next_ping() const { return next_ping_; }
  UnixMillis leave_by() const { return leave_by_; }
  int missed_pings() const { return missed_pings_; }

  // Of a slot that has never served: whether its last end was one too many.
  bool OutOfChances() const { return out_of_chances_; }
  // It does not come up, again and again since the last Forgive().
  bool Stuck() const;
  void Forgive() { vain_starts_ = 0; }

 private:
  bool Take(SlotEvent event);
  void CountEnd(UnixMillis now, bool by_signal);

  SlotState state_ = SlotState::kIdle;
  UnixMillis started_ = 0, restart_at_ = 0, next_ping_ = 0, leave_by_ = 0;
  int failures_ = 0;      // in a row
  int vain_starts_ = 0;   // in a row: ended before they served
  int missed_pings_ = 0;  // in a row
  bool served_ = false;   // since it was started last
  bool out_of_chances_ = false;
};

}  // namespace headrace::jobs
