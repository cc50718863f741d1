// A job's state, derived from its hosts': these functions are the only place that decides it.
//
//   hosts                                  the job
//   one has failed                         fails with the reason of one that was lost, or else of the one that failed
//                                          first; the others are ended
//   none, one stopped at MaxRuntime        Stopped, MaxRuntimeExceeded
//   none, one stopped                      Stopped
//   all completed                          Completed
//
// While any host runs the job shows the phase of the one that is furthest behind.
#pragma once

#include <optional>
#include <string>

#include "jobs/training/ingest_state.h"

namespace headrace::jobs {

struct JobPhase {
  SecondaryStatus status;
  std::string message;
  bool operator==(const JobPhase&) const = default;
};

// None before every host has said something, and when all have ended.
std::optional<JobPhase> PhaseOfJob(const IngestState& state);

// Whether the hosts that still run have to end because another one has failed.
bool OthersHaveToEnd(const IngestState& state);

// How the job has ended; none while a host has not.
std::optional<JobEnd> EndOfJob(const IngestState& state);

// Whether a host has ended by none of the program's doing: the job may be tried again.
bool MayGoBetterAgain(const IngestState& state);

}  // namespace headrace::jobs
