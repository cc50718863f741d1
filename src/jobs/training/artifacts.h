// Artifacts: from a job directory into the object store.
#pragma once

#include <string>

#include "base/result.h"
#include "jobs/directory/job_directory.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

// Stores everything below the job's artifacts/ at S3OutputPath/JOB/output/. The URI of the model; "" without one. Can
// be repeated.
Result<std::string> StoreArtifacts(const store::AccountObjects& objects, const std::string& output_path,
                                   const std::string& job_name, const JobDirectory& directory);

}  // namespace headrace::jobs
