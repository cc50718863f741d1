// JobFollower: takes one admitted job to its end: prepares its directory, starts its hosts or finds them again, takes
// in what they spool, stores what they leave. Its states are in follow_life.h; what the hosts' states make of the job's
// is in job_state.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/doorbell.h"
#include "jobs/directory/job_directory.h"
#include "jobs/training/artifacts.h"
#include "jobs/training/checkpoint_sync.h"
#include "jobs/training/executor.h"
#include "jobs/training/follow_life.h"
#include "jobs/training/ingest_state.h"
#include "jobs/training/job_state.h"
#include "jobs/training/rubbish.h"
#include "jobs/training/spool_reader.h"
#include "jobs/training/supervisor_watch.h"
#include "jobs/training/training_service.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

// Whether a job's programs have ended for good: one that may be tried again keeps its cores until all is over.
bool NeedsNoCores(const IngestState& state, const TrainingRequest& request);

class JobFollower {
 public:
  // What it is handed outlives it. `leaving`: this process is to end; what the follower is at is left to the next one.
  JobFollower(const TrainingOptions& options, Rubbish& rubbish, std::string account, std::string name,
              std::function<bool()> leaving);

  // Its cores may go to others: what is left is packing and storing.
  bool NeedsNoCores() const { return jobs::NeedsNoCores(state_, request_); }

  enum class Progress { kWorked, kIdle, kDone };
  // One step; an error is temporary (the database, the disk): the step is to be repeated later.
  Result<Progress> Step();

  // The next step need not be waited for: the job has ended, and what it leaves is to be stored.
  bool has_ended() const { return life_.ending() || EndOfJob(state_).has_value(); }

  // Rings when the next step is worth taking at once; null until the job has a directory.
  const Doorbell* bell() const { return bell_.get(); }

 private:
  // What is known of a host besides its state.
  struct Host {
    HostDirectory directory;
    SupervisorWatch watch;
    std::unique_ptr<CheckpointSync> checkpoints;  // nullptr: the job has none
    int64_t killed = 0;                           // of steady_; 0: not yet
    std::string why_killed;
    bool alive = true;  // at the last look
  };

  Result<Progress> Begin();
  Status FindHosts();
  HostKey Key(size_t host) const { return {account_, name_, state_.attempt, state_.hosts[host].name}; }
  bool SomeHostIsMissing();
  Status StartAttempt(const store::TrainingJob& job);
  Status PrepareDirectory();
  Result<Progress> Follow();
  Result<bool> FollowHost(size_t host);
  void WatchSupervisor(size_t host);
  Status NoteLostHosts();
  HostEnd EndOfLostHost(const store::TrainingJob& job, size_t host) const;
  Status EndOthers() const;
  Result<Progress> Settle();
  Progress Ends(const JobEnd& end);
  Result<bool> MayTryAgain() const;
  Result<Progress> TryAgain();
  std::string WhyAgain() const;
  Status ReadTheRest();
  Result<Progress> Conclude();
  Status StoreAll(const JobEnd& end, StoredArtifacts& artifacts);
  bool GivesUpStoring();
  bool ProgramHasRun() const;
  Status SyncCheckpoints(bool last);
  void CleanUp();

  const TrainingOptions& options_;
  Executor& executor_;
  const std::string account_, name_;
  const JobDirectory directory_;
  FollowLife life_;
  TrainingRequest request_;
  IngestState state_;
  std::vector<Host> hosts_;                       // in the order of state_'s
  std::unique_ptr<SpoolReader> reader_;           // set by Begin
  std::optional<store::AccountObjects> objects_;  // set by Begin
  std::unique_ptr<Doorbell> bell_;                // set once there is a supervisor, or may be one
  Rubbish& rubbish_;
  const std::function<bool()> leaving_;
  const BootClock steady_;
  int64_t next_sync_ = 0, asked_to_end_ = 0;  // of steady_; 0: not yet
};

}  // namespace headrace::jobs
