// OldJobs: what jobs that have ended leave on the disk, taken away when it has been kept for long enough.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/training/executor.h"
#include "jobs/training/rubbish.h"
#include "store/meta/database.h"

namespace headrace::jobs {

class OldJobs {
 public:
  // `directory`: DIRECTORY/ACCOUNT/JOB are the jobs'. All that it is handed outlives it.
  OldJobs(store::Database& database, Rubbish& rubbish, std::string directory, int keep_hours)
      : database_(database), rubbish_(rubbish), directory_(std::move(directory)), keep_hours_(keep_hours) {}

  // Looks at some of the directories; at all of them every ten minutes. `steady`: a clock that nobody sets.
  void Step(UnixMillis now, int64_t steady);

 private:
  void FindDirectories();

  store::Database& database_;
  Rubbish& rubbish_;
  const std::string directory_;
  const int keep_hours_;
  int64_t next_ = 0;  // of the steady clock
  std::vector<JobKey> to_look_at_;
};

}  // namespace headrace::jobs
