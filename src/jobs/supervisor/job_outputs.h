// JobOutputs: what a job leaves, packed for the object store, and what it says about its failure. The program may have
// put anything there: nothing is read but through descriptors that follow no link, and no more than its volume holds.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/supervisor/job_context.h"

namespace headrace::jobs {

class JobOutputs {
 public:
  explicit JobOutputs(const JobContext& context) : context_(context) {}

  // Packs /opt/ml/NAME as artifacts/TARGET.tar.gz, or as the tree artifacts/TARGET where the request wants no archive.
  // kUnavailable when the job was to end meanwhile and this took longer than the grace.
  Status Pack(const std::string& name, const std::string& target);
  // What the program wrote to /opt/ml/output/failure, as valid UTF-8; "" when there is none.
  std::string FailureFile() const;

 private:
  Status CopyFiles(const HeldDirectory& directory, const std::string& target, const TreeLimits& limits) const;
  bool GiveUp();

  const JobContext& context_;
  std::optional<std::chrono::steady_clock::time_point> asked_;  // when the job was first seen to have to end
};

}  // namespace headrace::jobs
