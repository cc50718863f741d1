// Artifacts: from a job directory into the object store.
#pragma once

#include <string>

#include "base/result.h"
#include "jobs/directory/job_directory.h"

namespace headrace::store {
class ObjectStore;
}

namespace headrace::jobs {

// Stores everything below the job's artifacts/ at S3OutputPath/JOB/output/. The URI of the model; "" without one. Can
// be repeated. The account writes to its own buckets and to public-read-write ones.
Result<std::string> StoreArtifacts(store::ObjectStore& objects, const std::string& account,
                                   const std::string& output_path, const std::string& job_name,
                                   const JobDirectory& directory);

// Stores a file that stays where it is; bytes are shared or moved when they can be.
Status StoreFile(store::ObjectStore& objects, const std::string& account, const std::string& bucket,
                 const std::string& key, const std::string& path);

Status MayWrite(const store::ObjectStore& objects, const std::string& account, const std::string& bucket);

}  // namespace headrace::jobs
