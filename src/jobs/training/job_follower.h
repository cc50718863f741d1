// JobFollower: takes one admitted job to its end: prepares its directory, starts its supervisor or finds it again,
// takes in what it spools, stores what it leaves.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "jobs/directory/doorbell.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/training/checkpoint_sync.h"
#include "jobs/training/executor.h"
#include "jobs/training/ingest_state.h"
#include "jobs/training/rubbish.h"
#include "jobs/training/spool_reader.h"
#include "jobs/training/supervisor_watch.h"
#include "jobs/training/training_service.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

// Whether a job's program has ended for good: one that may be tried again keeps its cores until all is over.
bool NeedsNoCores(const IngestState& state, const TrainingRequest& request);

class JobFollower {
 public:
  // What it is handed outlives it.
  JobFollower(const TrainingOptions& options, Rubbish& rubbish, std::string account, std::string name);

  // Its cores may go to others: what is left is packing and storing.
  bool NeedsNoCores() const { return jobs::NeedsNoCores(state_, request_); }

  enum class Progress { kWorked, kIdle, kDone };
  // One step; an error is temporary (the database, the disk): the step is to be repeated later.
  Result<Progress> Step();

  // The next step need not be waited for: the job has ended, and what it leaves is to be stored.
  bool has_ended() const { return state_.end.has_value(); }

  // Rings when the next step is worth taking at once; null until the job has a directory.
  const Doorbell* bell() const { return bell_.get(); }

 private:
  Result<Progress> Begin();
  HostKey Host() const { return {account_, name_, state_.attempt, "algo-1"}; }
  Status StartAttempt(const store::TrainingJob& job);
  Result<JobDescription> Describe(const store::TrainingJob& job) const;
  Status DescribeInputs(JobDescription& description) const;
  Status KeepInputs(JobDescription& description) const;
  Result<Progress> Follow();
  void WatchSupervisor();
  Result<Progress> SupervisorIsGone();
  JobEnd EndWithoutSupervisor(const store::TrainingJob& job) const;
  Result<Progress> Conclude(const JobEnd& end);
  Status SyncCheckpoints(bool last);
  void CleanUp() const;

  const TrainingOptions& options_;
  Executor& executor_;
  const std::string account_, name_;
  const JobDirectory directory_;
  TrainingRequest request_;
  IngestState state_;
  std::unique_ptr<SpoolReader> reader_;           // set by Begin
  std::optional<store::AccountObjects> objects_;  // set by Begin
  std::unique_ptr<CheckpointSync> checkpoints_;
  std::unique_ptr<Doorbell> bell_;  // set once there is a supervisor, or may be one
  Rubbish& rubbish_;
  const BootClock steady_;
  int64_t next_sync_ = 0, killed_ = 0;  // of steady_; 0: not yet
  SupervisorWatch watch_;
  std::string why_killed_;
};

}  // namespace headrace::jobs
