#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/transform/operations.h"

namespace headrace::api::sagemaker {

Reply<store::TransformJob> FindTransformJob(const SageMakerOptions& options, const Call& call,
                                            const std::string& name) {
  HEADRACE_REPLY(auto job, store::TransformJobs(options.database).Find(call.caller.account_id, name));
  if (!job) return aws::Refuse("ValidationException", fmt::format("Could not find requested job with name: {}", name));
  return std::move(*job);
}

Reply<Json> DescribeTransformJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"TransformJobName", TransformJobNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto job, FindTransformJob(options, call, input["TransformJobName"]));
  Json reply = Json::parse(job.request);  // everything the request said, fields newer than us included
  reply["TransformJobArn"] = job.arn;
  reply["TransformJobStatus"] = job.status;
  reply["CreationTime"] = Seconds(job.created);
  if (job.transform_start != 0) reply["TransformStartTime"] = Seconds(job.transform_start);
  if (job.transform_end != 0) reply["TransformEndTime"] = Seconds(job.transform_end);
  if (!job.failure_reason.empty()) reply["FailureReason"] = job.failure_reason;
  return reply;
}

}  // namespace headrace::api::sagemaker
