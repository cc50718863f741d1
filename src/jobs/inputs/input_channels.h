// InputDataConfig resolved: which objects, under which names, each channel of a job reads.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/job_description.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

// The channels that the host "algo-K" of a job has, in the order of the request, of objects that the account may read
// now: those of its instance group, in File mode of ShardedByS3Key its share of the objects.
// kInvalidArgument carries a message as CreateTrainingJob's ValidationException has it, for example "No S3 objects
// found under S3 URL …".
Result<std::vector<InputChannel>> ResolveChannels(const store::AccountObjects& objects, const TrainingRequest& request,
                                                  const std::string& host = "algo-1");

}  // namespace headrace::jobs
