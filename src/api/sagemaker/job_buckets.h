// The S3 locations that a request names, looked at before it is taken. Jobs ask again when they read and write: this is
// for a clear answer at once.
#pragma once

#include <optional>
#include <string>

#include "api/sagemaker/operations.h"
#include "aws/service.h"
#include "jobs/request/training_request.h"
#include "store/access/account_objects.h"

namespace headrace::api::sagemaker {

// The object store as the caller may use it.
store::AccountObjects ObjectsOf(const SageMakerOptions& options, const Call& call);

// Refuses, as the service does, inputs of training jobs without objects; and whatever the caller could not read or
// write by itself: sources, checkpoints, outputs.
std::optional<aws::ServiceError> CheckBuckets(const store::AccountObjects& objects, const Call& call,
                                              const jobs::TrainingRequest& request);

// The parts. An input must have objects, and the first of them must be the caller's to read; `role` is named when there
// are none.
std::optional<aws::ServiceError> CheckInput(const store::AccountObjects& objects, const Call& call,
                                            const std::string& role, const std::string& uri);
// Called `what`: a place to write objects below. A bucket that is not there may still come; the job says so when it
// needs it.
std::optional<aws::ServiceError> CheckOutput(const store::AccountObjects& objects, const std::string& what,
                                             const std::string& uri);

}  // namespace headrace::api::sagemaker
