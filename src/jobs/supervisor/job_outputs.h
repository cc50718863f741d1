// JobOutputs: what a job leaves, packed for the object store, and what it says about its failure. The program may have
// put anything there: nothing is read but through descriptors that follow no link.
#pragma once

#include <string>

#include "base/result.h"
#include "jobs/supervisor/job_context.h"

namespace headrace::jobs {

class JobOutputs {
 public:
  explicit JobOutputs(const JobContext& context) : context_(context) {}

  // Packs /opt/ml/NAME as artifacts/TARGET.tar.gz, or as the tree artifacts/TARGET where the request wants no archive.
  Status Pack(const std::string& name, const std::string& target) const;
  // What the program wrote to /opt/ml/output/failure, as valid UTF-8; "" when there is none.
  std::string FailureFile() const;

 private:
  const JobContext& context_;
};

}  // namespace headrace::jobs
