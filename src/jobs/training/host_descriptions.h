// What the supervisors of a job's hosts are told: from a row and the object store to a JobDescription a host. What a
// machine has for them the executor adds.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/training/ingest_state.h"
#include "store/access/account_objects.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

struct TrainingOptions;

class HostDescriptions {
 public:
  // What it is handed outlives it.
  HostDescriptions(const TrainingOptions& options, const store::AccountObjects& objects, const JobDirectory& directory,
                   const TrainingRequest& request)
      : options_(options), objects_(objects), directory_(directory), request_(request) {}

  // Of all hosts of the attempt that `state` is at. What the job reads is found at its first attempt and stays; its
  // checkpoints are those that are there now.
  Result<std::vector<JobDescription>> Make(const store::TrainingJob& job, const IngestState& state) const;

 private:
  Result<JobDescription> Describe(const store::TrainingJob& job, const IngestState& state) const;
  Status DescribeCheckpoints(JobDescription& description) const;

  const TrainingOptions& options_;
  const store::AccountObjects& objects_;
  const JobDirectory& directory_;
  const TrainingRequest& request_;
};

}  // namespace headrace::jobs
