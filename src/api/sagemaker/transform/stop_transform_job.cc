#include <algorithm>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/transform/operations.h"

namespace headrace::api::sagemaker {

// Stopping a job that is being stopped changes nothing.
Reply<Json> StopTransformJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"TransformJobName", TransformJobNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto job, FindTransformJob(options, call, input["TransformJobName"]));
  HEADRACE_REPLY(
      const auto stopping,
      store::TransformJobs(options.database).Update(job.account_id, job.name, [&](store::TransformJob& row) -> Status {
        if (row.status != "InProgress") return {};
        row.status = "Stopping";
        row.modified = std::max(row.modified, call.now);
        return {};
      }));
  if (stopping.status != "Stopping")
    return aws::Refuse("ValidationException", fmt::format("The request was rejected because the transform job is in "
                                                          "status {}.",
                                                          stopping.status));
  if (options.wake_transform) options.wake_transform(job.account_id, job.name);
  return Json::object();
}

}  // namespace headrace::api::sagemaker
