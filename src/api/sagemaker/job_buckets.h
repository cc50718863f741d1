// The S3 locations that a job names, looked at before the job is taken.
#pragma once

#include <optional>
#include <string>

#include "aws/service.h"
#include "store/objects/object_store.h"

namespace headrace::api::sagemaker {

// Refuses, as the service does, inputs of training jobs without objects; and buckets of other accounts, for reading and
// for writing: a job runs with the platform's hands, which reach further than its owner's.
std::optional<aws::ServiceError> CheckBuckets(const store::ObjectStore& objects, const aws::Call& call,
                                              const aws::Json& request);
// The parts: an input must have objects of the caller's, `role` is named when it has none; a bucket to write to, called
// `what`, may only not be another account's.
std::optional<aws::ServiceError> CheckInput(const store::ObjectStore& objects, const aws::Call& call,
                                            const std::string& role, const std::string& uri);
std::optional<aws::ServiceError> CheckOwner(const store::ObjectStore& objects, const aws::Call& call,
                                            const std::string& what, const std::string& uri);

}  // namespace headrace::api::sagemaker
