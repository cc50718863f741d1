// JobInputs: brings channels, manifests and checkpoints to where the job's program finds them.
#pragma once

#include "base/result.h"
#include "jobs/staging/stage_files.h"
#include "jobs/supervisor/job_context.h"

namespace headrace::jobs {

class JobInputs {
 public:
  explicit JobInputs(const JobContext& context) : context_(context) {}

  // Channels in Pipe mode aside, which are fed while the program runs.
  Status Stage() const;

 private:
  Status StageChannel(const InputChannel& channel) const;
  Status StageManifest(const InputChannel& channel) const;
  Status LinkChannel(const InputChannel& channel) const;
  Status StageCheckpoints() const;
  StagingOptions Options() const;

  const JobContext& context_;
};

}  // namespace headrace::jobs
