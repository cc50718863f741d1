// InputDataConfig resolved: which objects, under which names, each channel of a job reads.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/input_channel.h"
#include "jobs/request/training_request.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

// The channels of a job, in the order of the request, each with all objects that the account may read now.
// kInvalidArgument carries a message as CreateTrainingJob's ValidationException has it, for example "No S3 objects
// found under S3 URL …".
Result<std::vector<InputChannel>> ResolveChannels(const store::AccountObjects& objects, const TrainingRequest& request);

// Of a job's channels what the host "algo-K" has: those of its instance group, in File mode of ShardedByS3Key its share
// of the objects.
std::vector<InputChannel> ChannelsOf(const std::string& host, const std::vector<InputChannel>& channels,
                                     const TrainingRequest& request);

}  // namespace headrace::jobs
