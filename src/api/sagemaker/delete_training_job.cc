#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/training_job_shape.h"
#include "store/meta/tags.h"
#include "store/meta/training_jobs.h"

namespace headrace::api::sagemaker {

// The job's logs, metrics and artifacts stay; its name can be used again.
Reply<Json> DeleteTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"TrainingJobName", TrainingJobNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto job, FindTrainingJob(options, call, input["TrainingJobName"]));
  if (!store::IsTerminal(job.status)) {
    return aws::Refuse("ValidationException",
                       fmt::format("The request was rejected because the training job is in status {}. Only jobs that "
                                   "are Completed, Failed or Stopped can be deleted.",
                                   job.status));
  }
  HEADRACE_REPLY_TRY(options.database.Write(store::WriteKind::kFrees, [&](store::Connection& db) -> Status {
    HEADRACE_TRY(store::TrainingJobs::DeleteIn(db, job.account_id, job.name));
    return store::Tags::RemoveAllIn(db, job.account_id, job.arn);
  }));
  return Json::object();
}

}  // namespace headrace::api::sagemaker
