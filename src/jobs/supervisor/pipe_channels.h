// PipeChannels: the feeders of a job's channels in Pipe mode, for as long as its program runs.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/directory/host_directory.h"
#include "jobs/directory/job_description.h"
#include "jobs/pipe/pipe_feeder.h"
#include "jobs/supervisor/reporter.h"

namespace headrace::jobs {

class PipeChannels {
 public:
  PipeChannels(const JobDescription& job, const HostDirectory& directory, Reporter& reporter, const Clock& clock,
               const Clock& steady)
      : job_(job), directory_(directory), reporter_(reporter), clock_(clock), steady_(steady) {}

  // The first FIFOs are there when it returns.
  Status Start();
  // Why a channel cannot go on; "" while all can. Writes pipes.json about once a second.
  std::string Watch();
  // Ends all feeders and says in the log what each has streamed.
  void Stop();

 private:
  Result<std::unique_ptr<PipeFeeder>> StartFeeder(const InputChannel& channel);
  void WriteStatus() const;

  const JobDescription& job_;
  const HostDirectory& directory_;
  Reporter& reporter_;
  const Clock& clock_;
  const Clock& steady_;
  std::mutex mutex_;
  std::string failure_;
  std::vector<std::string> names_;
  int64_t next_status_ = 0;                           // of steady_
  std::vector<std::unique_ptr<PipeFeeder>> feeders_;  // last: their threads use the rest
};

}  // namespace headrace::jobs
