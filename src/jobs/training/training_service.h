// TrainingService: runs the training jobs that the metadata database knows. A scheduler admits them, accounts in turns
// and each account's in order of creation, as far as the machine's cores go; each admitted job gets a supervisor
// process that outlives this one, and a thread here that follows the supervisor's spool files
// (docs/formats/job-directory.md) into the database.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/access/account_objects.h"

namespace headrace::store {
class Database;
struct TrainingJob;
}  // namespace headrace::store

namespace headrace::jobs {

struct TrainingOptions {
  store::Database* database = nullptr;  // outlives the service
  store::ObjectAccess objects;
  const Clock* clock = nullptr;  // outlives the service
  std::string data_dir;          // jobs live in data_dir/jobs/ACCOUNT/JOB, compiled programs in data_dir/cache
  std::string headrace_binary;   // absolute path; run as `headrace supervise JOBDIR`
  std::string region;
  // What a job's processes get besides the contract's own variables: endpoint, keys scoped to the job, certificates
  // (AWS_ENDPOINT_URL, S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CA_BUNDLE, …).
  // Files they name are readable for the job when they are listed in read_only_paths.
  std::function<Result<std::map<std::string, std::string>>(const store::TrainingJob&)> environment;
  // Whether jobs of this account may run here; the error says why not. Empty: all may.
  std::function<Status(const std::string& account)> may_run;

  int capacity_cpus = 0;                     // cores that jobs may take together; 0: those of the machine
  std::string python = "python3";            // runs .py entry points and is `python3` inside jobs
  std::string compiler = "g++";              // compiles .cpp entry points
  std::vector<std::string> read_only_paths;  // further paths of this machine that jobs may read
  bool sandbox = true;                       // false: plain processes, even where bubblewrap works
  int stop_grace_seconds = 120;              // between SIGTERM and SIGKILL
  int resource_sample_millis = 5000;
  int heartbeat_seconds = 60;  // of silence until a job's log tells that it lives; 0: never
  uint64_t memory_bytes = 0;   // no job may use more, whatever its instance type has; 0: the instance type decides
  uint64_t tasks = 0;          // processes and threads of a job; 0: the instance type's cores decide
  uint64_t disk_bytes = 0;     // no job's files may take more, whatever its VolumeSizeInGB; 0: that decides
  uint64_t log_bytes = 0;      // of what a job's programs write that are kept; 0: all
  int hang_seconds = 60;       // without a sign of life, until a supervisor is ended
  int poll_millis = 50;        // how often spool files are read
  int checkpoint_sync_millis = 2000;
  int keep_log_hours = 72;  // how long the raw log of a finished job is kept
};

class TrainingService {
 public:
  explicit TrainingService(TrainingOptions options);
  TrainingService(const TrainingService&) = delete;
  TrainingService& operator=(const TrainingService&) = delete;
  ~TrainingService();  // Stop()

  // Finds supervisors of an earlier process again and follows them, finishes what ended meanwhile, starts what waits.
  Status Start();
  // Stops following. Running jobs go on and are found again by the next Start().
  void Stop();

  // The row is in the database (InProgress, Starting): wakes the scheduler. Any thread.
  void Submit(const std::string& account, const std::string& name);
  // The row becomes Stopping (or Stopped, when it still waits) before this returns. kNotFound, or kFailedPrecondition
  // with the status in its message when the job has ended. Stopping a stopping job changes nothing. Any thread.
  Status RequestStop(const std::string& account, const std::string& name);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::jobs
