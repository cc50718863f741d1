// MpiLaunch: the part of a host in starting the ranks of an MPI job. On algo-1 the program runs below mpirun, and the
// launch doors of the other hosts are watched as long as that runs; on the others the launch door is the program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "jobs/launch/rank_records.h"
#include "jobs/process/child.h"
#include "jobs/request/distribution.h"
#include "jobs/supervisor/job_context.h"

namespace headrace::jobs {

// Whether the request has mpirun start the job's processes. One process that is alone is started without it.
bool IsLaunched(const JobDescription& job);

class MpiLaunch {
 public:
  MpiLaunch(const JobContext& context, const JobDirectory& job)
      : context_(context), job_(job), how_(context.job.request.mpi) {}

  // What the host's processes see of it; before their first, when the request may start ranks.
  void Show();
  // Once the channels are staged: scripts of the SDK among them may be what starts the ranks (sdk_drivers.h).
  Status FindDrivers();
  // Whether there are ranks that mpirun starts.
  bool starts_ranks() const;
  // The command that runs in the place of `program`. On algo-1 it waits until all hosts have opened their doors:
  // kUnavailable when the job was stopped meanwhile.
  Result<Command> Prepare(Command program);
  // Its processes that are to be asked to end by name: ranks, and the door once nothing runs behind it.
  std::vector<pid_t> ToAsk(std::vector<pid_t> processes) const;
  // On algo-1: a rank has failed, and mpirun has had its time to end the others.
  bool IsOver();
  // mpirun has ended: the other hosts may.
  void Close() { doors_.clear(); }
  // On algo-1, when mpirun has ended: the rank by which the job failed.
  std::optional<RankEnd> CauseOfFailure() const;

 private:
  bool IsFirst() const { return context_.job.current_host == context_.job.hosts.front(); }
  Status CheckSandbox() const;
  Result<std::vector<std::string>> Mpirun();
  Status OpenDoor();
  std::vector<std::string> DoorCommand() const { return {context_.view.init(), "--door"}; }
  Status WatchDoors();
  Result<Descriptor> WaitForDoor(const std::string& host) const;

  const JobContext& context_;
  const JobDirectory& job_;
  std::optional<MpiDistribution> how_;
  bool by_drivers_ = false;              // the SDK's scripts run mpirun, and become the door
  std::string seen_doors_, seen_ranks_;  // paths as the host's processes see them
  std::vector<Descriptor> doors_;        // algo-1: watched ones; others: their own, listening
  UnixMillis failed_since_ = 0;          // of the steady clock; 0: not seen
};

}  // namespace headrace::jobs
