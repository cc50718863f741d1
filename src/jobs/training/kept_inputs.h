// What a job reads of the object store, found once when it starts and kept for it: its hosts, which take their shares
// of the same list, an attempt after the first and a server that was started again all see these objects, whatever is
// put, replaced or deleted meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/input_channel.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/request/training_request.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

struct KeptInputs {
  std::vector<InputChannel> channels;  // of the whole job, in the order of the request
  std::optional<JobDescription::Source> source;
};

// Those that the job's directory has already, or those that are there now.
Result<KeptInputs> KeepInputs(const store::AccountObjects& objects, const JobDirectory& directory,
                              const TrainingRequest& request);

// Gives the job a name of its own for a blob, which the object `key` may lose.
Status KeepBlob(const JobDirectory& directory, std::string& blob, const std::string& key);

}  // namespace headrace::jobs
