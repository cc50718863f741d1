// The S3 locations that a training job names, looked at before the job is taken.
#pragma once

#include <optional>

#include "aws/service.h"
#include "store/objects/object_store.h"

namespace headrace::api::sagemaker {

// Refuses, as the service does, inputs without objects; and buckets of other accounts, for reading and for writing: a
// job runs with the platform's hands, which reach further than its owner's.
std::optional<aws::ServiceError> CheckBuckets(const store::ObjectStore& objects, const aws::Call& call,
                                              const aws::Json& request);

}  // namespace headrace::api::sagemaker
