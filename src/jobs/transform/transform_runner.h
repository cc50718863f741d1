// TransformRunner: the thread of one transform job, from its row in the database to its end: model servers are brought
// up, the objects go through them (transform_run.h), lines go into the log, the row says what has become of it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "jobs/hosting/generation.h"
#include "jobs/hosting/instance_log.h"
#include "jobs/hosting/use_report.h"
#include "jobs/hosting/wakeup.h"
#include "jobs/transform/transform_run.h"
#include "store/meta/transform_jobs.h"

namespace headrace::jobs {

class TransformRunner {
 public:
  // Both outlive the runner.
  TransformRunner(HostingMachine& machine, http::Client& client, std::string account, std::string name);
  ~TransformRunner();  // RequestStop(), and waits
  TransformRunner(const TransformRunner&) = delete;
  TransformRunner& operator=(const TransformRunner&) = delete;

  void Wake();         // the row has changed; any thread
  void RequestStop();  // the job is left as it is; any thread
  bool ended() const { return ended_; }

 private:
  enum class End { kLeft, kStopped, kFailed, kCompleted };  // left: for the next start of the server
  void RunJob();
  // The job's inputs and settings; an error is the job's failure.
  Status Prepare(const store::TransformJob& job);
  // Until the job, or this runner, is to end.
  End Work();
  End Fail(const std::string& why);
  std::optional<End> StepInstances(UnixMillis& again);
  void WriteUse(UnixMillis& again);
  void StartRun();
  void EndInstances();
  // As soon as the database takes it. A job that completes while it is being stopped is stopped.
  void WriteEnd(End end);

  void Poll(UnixMillis until);
  void Say(const std::string& line);
  void WriteLines(bool all);
  std::optional<store::TransformJob> ReadRow();

  HostingMachine& machine_;
  http::Client& client_;
  const std::string account_, name_, directory_;
  Wakeup wakeup_;
  InstanceLog log_;
  UseReport use_report_;
  std::atomic<bool> woken_ = true, stop_ = false, ended_ = false;

  TransformSettings settings_;
  std::vector<std::string> notes_;                // what was asked for and has no effect
  std::optional<store::AccountObjects> objects_;  // set by Prepare
  std::vector<TransformInput> inputs_;
  UnixMillis started_ = 0;  // the job
  std::string failure_;
  EndpointRoutes routes_;
  std::unique_ptr<Generation> generation_;
  std::unique_ptr<TransformRun> run_;
  std::string data_stream_;  // of the log
  std::mutex lines_mutex_;
  std::vector<Instance::Line> data_lines_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace headrace::jobs
