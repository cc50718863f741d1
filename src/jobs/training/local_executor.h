// LocalExecutor: hosts as supervisor processes of this machine, `headrace-supervise JOBDIR HOST`.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/directory/job_directory.h"
#include "jobs/machine/machine.h"
#include "jobs/runtime/installation.h"
#include "jobs/training/executor.h"

namespace headrace::jobs {

struct LocalExecutorOptions {
  Machine* machine = nullptr;     // outlives the executor
  const Clock* steady = nullptr;  // nobody sets it; outlives the executor
  std::string data_dir;           // a job's directory is data_dir/jobs/ACCOUNT/JOB; none of data_dir is shown to jobs
  std::string headrace_binary;    // absolute
  std::string compiler = "g++";   // compiles .cpp entry points
  std::vector<std::string> read_only_paths;  // further paths of this machine that jobs may read
  uint64_t memory_bytes = 0;  // no host may use more, whatever its instance type has; 0: the instance type decides
  uint64_t tasks = 0;         // processes and threads of a host; 0: its cores decide
  uint64_t disk_bytes = 0;    // no host's files may take more, whatever its VolumeSizeInGB; 0: that decides
  uint64_t log_bytes = 0;     // of what a host's programs write that are kept; 0: all
};

class LocalExecutor : public Executor {
 public:
  explicit LocalExecutor(LocalExecutorOptions options);

  Status Open() override;

  Status Fits(const std::vector<InstanceSize>& hosts) const override;
  // A host has as many cores as its instance type, so far as the machine goes: hosts that are too many for it share it
  // in proportion, at least a core each.
  Result<std::optional<std::vector<HostPlace>>> Reserve(const JobKey& job,
                                                        const std::vector<InstanceSize>& hosts) override;
  void Restore(const JobKey& job, const std::vector<InstanceSize>& hosts,
               const std::vector<HostPlace>& places) override;
  void Release(const JobKey& job) override;
  std::string Wanted(const std::vector<InstanceSize>& hosts) const override;

  // The job's directory is there; the description is put into it, readable for nobody else.
  Status Start(const HostStart& start) override;
  bool Alive(const HostKey& key) override;
  void Stop(const HostKey& key, std::string_view why) override;
  void Forget(const HostKey& key) override;
  void Tidy() override;

 private:
  JobDirectory JobOf(const HostKey& key) const;
  HostDirectory DirectoryOf(const HostKey& key) const;
  // Whether a supervisor that was started has still time to take its lock.
  bool MayBegin(const HostKey& key);
  void DescribeMachine(const HostKey& key, JobDescription& description);
  // Which interpreter the host's program runs on.
  void DescribePython(const Installation& installation, JobDescription& description);
  // Ports for its hosts' rendezvous: the same for all hosts of an attempt, also after a restart of the server.
  Status DescribePorts(const HostKey& key, JobDescription& description);
  void DescribeLimits(const HostKey& key, JobDescription& description);
  // Of the host's room; nothing, and empty, when it has to have all.
  std::vector<int> CoresOf(const HostKey& key, const JobDescription& description);

  const LocalExecutorOptions options_;
  std::mutex mutex_;
  std::map<HostKey, int64_t> started_;  // when, by the steady clock
  std::map<JobKey, std::vector<CoreLease>> rooms_;
  std::map<JobKey, std::vector<int>> ports_;
};

// How many of `all` cores each host gets: what its type has (0: all of them), scaled down where they are more than
// there are. At least one each, even where that is too many altogether.
std::vector<int> CoresOfHosts(const std::vector<InstanceSize>& hosts, int all);

}  // namespace headrace::jobs
