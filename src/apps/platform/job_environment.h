// What the processes of a training job are told about the platform: where it is, and keys that end with the job.
#pragma once

#include <map>
#include <string>

#include "apps/platform/data_directory.h"
#include "base/result.h"
#include "store/meta/principals.h"
#include "store/meta/training_job.h"

namespace headrace::apps {

// The keys act for the principal whose account the job is in, and show the job's name in their ARN.
Result<std::map<std::string, std::string>> JobEnvironment(store::Principals& principals, const DataDirectory& directory,
                                                          const ServerAddress& address, const store::TrainingJob& job);

}  // namespace headrace::apps
