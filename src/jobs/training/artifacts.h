// Artifacts: from the directories of a job's hosts into the object store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/host_directory.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

struct ArtifactsOfJob {
  std::string job_name, output_path;  // OutputDataConfig.S3OutputPath
  std::vector<HostDirectory> hosts;   // algo-1 first
  std::string scratch;                // a directory to put together what several hosts have left
  bool with_model = true;             // false: of a job that has failed
  std::function<bool()> cancelled = [] { return false; };
};

struct StoredArtifacts {
  std::string model;               // URI; "" without one
  std::vector<std::string> notes;  // for the job's log
};

// Stores everything below the hosts' artifacts/ at S3OutputPath/JOB/output/: what several hosts have left becomes one
// model and one output. Of one name the first host's stays, and what of the others is left out for it is noted. Can be
// repeated. `stored`: how far it has come, when it fails, too. kUnavailable when cancelled.
Status StoreArtifacts(const store::AccountObjects& objects, const ArtifactsOfJob& job, StoredArtifacts& stored);

}  // namespace headrace::jobs
