#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/training_job_shape.h"

namespace headrace::api::sagemaker {

Reply<Json> StopTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"TrainingJobName", TrainingJobNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto job, FindTrainingJob(options, call, input["TrainingJobName"]));
  const auto ended = [](const std::string& status) {
    return aws::Refuse("ValidationException",
                       fmt::format("The request was rejected because the training job is in status {}.", status));
  };
  if (store::IsTerminal(job.status)) return ended(job.status);
  const Status stopping = options.request_stop(job.account_id, job.name);
  if (stopping) return Json::object();
  if (stopping.error().code() != ErrorCode::kFailedPrecondition) return tl::unexpected(ServerFault(stopping.error()));
  // It ended between the two looks.
  HEADRACE_REPLY_PASS(const auto now, FindTrainingJob(options, call, job.name));
  return ended(now.status);
}

}  // namespace headrace::api::sagemaker
