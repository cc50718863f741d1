// The operations of batch transform jobs, and what they share.
#pragma once

#include <string>

#include "api/sagemaker/operations.h"
#include "api/validation/shape.h"
#include "store/meta/transform_jobs.h"

namespace headrace::api::sagemaker {

Reply<Json> CreateTransformJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DescribeTransformJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> ListTransformJobs(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> StopTransformJob(const SageMakerOptions& options, const Call& call, const Json& input);

// The caller's job, or the refusal that SageMaker gives when there is none of that name.
Reply<store::TransformJob> FindTransformJob(const SageMakerOptions& options, const Call& call, const std::string& name);

Shape TransformJobNameShape();
Shape CreateTransformJobShape();
// What concerns several members, and what is not offered here. The request has the right JSON types.
void CheckTransformJob(const Json& request, Violations& violations);

}  // namespace headrace::api::sagemaker
