// Scheduler: which training jobs run. Accounts take turns, each account's jobs go in order of creation, and a job is
// admitted whole or not at all: with room for all its hosts. It has no thread and no clock of its own: whoever owns it
// calls Step().
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/limits/moment.h"
#include "jobs/training/executor.h"
#include "jobs/training/fair_queue.h"
#include "store/meta/database.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

class Scheduler {
 public:
  // Both outlive it.
  Scheduler(store::Database& database, Executor& executor) : database_(database), executor_(executor) {}

  // Once, before the first Step(): the jobs that an earlier process had admitted. They keep their room, unless their
  // programs have ended.
  Result<std::vector<JobKey>> Reattach();

  // Admits as many of the waiting jobs as there is room for, tells the others that they wait, and returns those
  // admitted: their rows say so. A job that will never fit fails.
  Result<std::vector<JobKey>> Step(const Moment& now);

 private:
  enum class Turn { kAdmitted, kHasToWait, kGone };  // gone: it has been stopped meanwhile, or has failed here
  Result<Turn> Admit(const JobKey& key, const Moment& now);
  Status Refuse(const JobKey& key, const std::string& reason, UnixMillis now);
  Status SayPending(UnixMillis now);

  store::Database& database_;
  Executor& executor_;
  FairQueue queue_;
};

}  // namespace headrace::jobs
