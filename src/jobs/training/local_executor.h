// LocalExecutor: hosts as supervisor processes of this machine, `headrace supervise JOBDIR`.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "jobs/directory/job_directory.h"
#include "jobs/training/executor.h"

namespace headrace::jobs {

struct LocalExecutorOptions {
  std::string jobs_directory;    // absolute; a job's directory is jobs_directory/ACCOUNT/JOB
  std::string headrace_binary;   // absolute
  const Clock* clock = nullptr;  // one that nobody sets; outlives the executor
};

class LocalExecutor : public Executor {
 public:
  explicit LocalExecutor(LocalExecutorOptions options) : options_(std::move(options)) {}

  // The job's directory is there; the description is put into it, readable for nobody else.
  Status Start(const HostStart& start) override;
  bool Alive(const HostKey& key) override;
  void Stop(const HostKey& key, std::string_view why) override;
  void Forget(const HostKey& key) override;

 private:
  JobDirectory DirectoryOf(const HostKey& key) const;
  // Whether a supervisor that was started has still time to take its lock.
  bool MayBegin(const HostKey& key);

  const LocalExecutorOptions options_;
  std::mutex mutex_;
  std::map<HostKey, int64_t> started_;  // when, by the clock
};

}  // namespace headrace::jobs
