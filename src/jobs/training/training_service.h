// TrainingService: runs the training jobs that the metadata database knows. A scheduler (scheduler.h) admits them as
// far as the executor has room; each host of an admitted job gets a supervisor process that outlives this one, and each
// job a thread here that follows the supervisors' spool files (docs/formats/job-directory.md) into the database.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/access/account_objects.h"

namespace headrace::store {
class Database;
struct TrainingJob;
}  // namespace headrace::store

namespace headrace::jobs {

class Executor;

struct TrainingOptions {
  store::Database* database = nullptr;  // outlives the service
  store::ObjectAccess objects;
  const Clock* clock = nullptr;  // outlives the service
  // By which ended jobs' logs are old enough to be deleted: one that believes no mistaken step. Outlives the service;
  // nullptr: `clock`.
  const Clock* settled_clock = nullptr;
  std::string data_dir;          // jobs live in data_dir/jobs/ACCOUNT/JOB, compiled programs in data_dir/cache
  Executor* executor = nullptr;  // where the jobs run; outlives the service
  std::string region;
  // What a job's processes get besides the contract's own variables: endpoint, keys scoped to the job, certificates
  // (AWS_ENDPOINT_URL, S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CA_BUNDLE, …).
  // Files they name are readable for the job when the executor shows them.
  std::function<Result<std::map<std::string, std::string>>(const store::TrainingJob&)> environment;
  // Whether jobs of this account may run here; the error says why not. Empty: all may.
  std::function<Status(const std::string& account)> may_run;

  int stop_grace_seconds = 120;  // between SIGTERM and SIGKILL, and again for packing, and for storing
  int resource_sample_millis = 5000;
  int heartbeat_seconds = 60;  // of silence until a job's log tells that it lives; 0: never
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
  // Stops following. Running jobs go on and are found again by the next Start(), which also stores what jobs leave and
  // is not stored yet.
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
