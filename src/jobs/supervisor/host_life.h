// HostLife: the phases of one host of a job, one after the other, and how the host ends. It knows no process: the
// supervisor that owns it does what the phase asks for, and says what has come of that.
//
//   phase      what is done in it                                        done: goes on to   breaks off: goes on to
//   kMaking    new directories; whether there is the sandbox it needs    kStaging           kEnding
//   kStaging   channels and checkpoints come from the object store       kReadying          kEnding
//   kReadying  the program is unpacked, compiled, its packages           kRunning           kEnding
//              installed; MPI's other hosts are waited for
//   kRunning   the program runs; one that fails is done, too             kPacking           kEnding
//   kPacking   what the program has left is packed                       kEnding            kEnding
//   kEnding    room is made, and the last word said                      kEnded
//   kEnded     nothing, ever
//
// A phase breaks off with an error, which is the job's reason, or because the job is stopped.
#pragma once

#include <optional>

#include "base/result.h"
#include "jobs/request/training_status.h"

namespace headrace::jobs {

enum class HostPhase { kMaking, kStaging, kReadying, kRunning, kPacking, kEnding, kEnded };

enum class HostEvent { kDone, kBreaksOff };

// The table. nullopt: the event means nothing in that phase.
std::optional<HostPhase> After(HostPhase phase, HostEvent event);

// Errors of phases are whole FailureReasons, except this one: what was under way was cancelled by a stop.
bool IsCancelled(const Error& error);

// What decides how a host has ended, besides its phases.
struct HostFacts {
  Status log;                // whether all that the job has to say could be written
  bool out_of_disk = false;  // of what the job may have: then that is the reason, not the log's
  bool timed_out = false;    // MaxRuntimeInSeconds is over
  bool stopped = false;      // somebody asked for it, or other hosts have failed
};

class HostLife {
 public:
  HostPhase phase() const { return phase_; }
  // Of the phase that is under way. Nothing, once the host has ended.
  void Take(Status outcome);
  // The outcome of the phase that broke off.
  const Status& outcome() const { return outcome_; }
  JobEnd End(const HostFacts& facts) const;

 private:
  HostPhase phase_ = HostPhase::kMaking;
  Status outcome_;
};

}  // namespace headrace::jobs
