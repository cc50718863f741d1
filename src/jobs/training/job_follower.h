// JobFollower: takes one admitted job to its end: prepares its directory, starts its supervisor or finds it again,
// takes in what it spools, stores what it leaves.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/training/checkpoint_sync.h"
#include "jobs/training/ingest_state.h"
#include "jobs/training/spool_reader.h"
#include "jobs/training/training_service.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

// What the service has found out about this machine, once.
struct Machine {
  bool bubblewrap = false;
  std::string no_bubblewrap_reason;
  int cpus = 1;
  std::string python;                     // resolved interpreter; "" without one
  std::vector<std::string> python_paths;  // what it needs to be seen
};

class JobFollower {
 public:
  JobFollower(const TrainingOptions& options, const Machine& machine, std::string account, std::string name);

  enum class Progress { kWorked, kIdle, kDone };
  // One step; an error is temporary (the database, the disk): the step is to be repeated later.
  Result<Progress> Step();

 private:
  Result<Progress> Begin();
  Status StartAttempt(const store::TrainingJob& job);
  Result<JobDescription> Describe(const store::TrainingJob& job) const;
  Status DescribeInputs(JobDescription& description) const;
  Status KeepInputs(JobDescription& description) const;
  void DescribeMachine(const store::TrainingJob& job, JobDescription& description) const;
  Result<Progress> Follow();
  Result<Progress> SupervisorIsGone();
  Result<Progress> Conclude(const EndRecord& end);
  Status SyncCheckpoints(bool last);
  void CleanUp() const;

  const TrainingOptions& options_;
  const Machine& machine_;
  const std::string account_, name_;
  const JobDirectory directory_;
  nlohmann::json request_;
  IngestState state_;
  std::unique_ptr<SpoolReader> reader_;           // set by Begin
  std::optional<store::AccountObjects> objects_;  // set by Begin
  std::unique_ptr<CheckpointSync> checkpoints_;
  UnixMillis next_sync_ = 0;
};

}  // namespace headrace::jobs
