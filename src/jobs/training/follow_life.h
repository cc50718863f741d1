// FollowLife: the states of one admitted job in this process, from which its hosts are started or found, followed,
// ended and what they leave is stored. It knows no host: the follower that owns it does what the state asks for, a step
// at a time, and tells it what has come of that.
//
//   state        what a step does in it                             goes on when
//   kBeginning   reads the row; starts the hosts or finds them      hosts run: kFollowing; none can: kConcluding
//   kFollowing   takes in what the hosts say, watches them          all have ended: kEnded
//   kEnded       decides whether there is another attempt, for      it runs: kFollowing; it cannot, or there is none:
//                which all supervisors have to be gone              kConcluding
//   kConcluding  stores what the job leaves, and its last status
//
// A step that breaks off, because the database or the disk fails or this process is to end, changes nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "jobs/request/training_status.h"

namespace headrace::jobs {

enum class FollowState { kBeginning, kFollowing, kEnded, kConcluding };

enum class FollowEvent {
  kRuns,    // the hosts of the attempt are there
  kHasRun,  // all hosts of the attempt have ended
  kFinal    // this is how the job ends
};

// Until a job goes on without supervisors that have been killed, or have said their last word, and do not even die.
inline constexpr int64_t kPartingMillis = 10'000;

// The table. nullopt: the event means nothing in that state.
std::optional<FollowState> After(FollowState state, FollowEvent event);

// Times are of a clock that nobody sets.
class FollowLife {
 public:
  FollowState state() const { return state_; }

  // What happens. Events that mean nothing now change nothing.
  void Runs() { Take(FollowEvent::kRuns); }
  void HasRun(int64_t now);
  void Final(const JobEnd& end);

  // kEnded: whether supervisors that have said their last word, but are still there, are to be waited for.
  bool AwaitsSupervisors(int64_t now) const;
  // kConcluding: how the job ends.
  const JobEnd& end() const { return end_; }
  // All that is left to do is to store what there is.
  bool ending() const { return state_ == FollowState::kConcluding; }

 private:
  bool Take(FollowEvent event);

  FollowState state_ = FollowState::kBeginning;
  int64_t ended_ = 0;
  JobEnd end_;
};

}  // namespace headrace::jobs
