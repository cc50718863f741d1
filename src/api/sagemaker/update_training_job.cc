#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/request.h"
#include "api/sagemaker/training_job_shape.h"
#include "store/meta/training_jobs.h"

namespace headrace::api::sagemaker {
namespace {

Shape UpdateShape() {
  return Shape::Structure(
      {{"TrainingJobName", TrainingJobNameShape(), true},
       {"ProfilerConfig", ProfilerConfigShape()},
       {"ResourceConfig", Shape::ClosedStructure({{"KeepAlivePeriodInSeconds", Shape::Integer(0, 21600), true}})},
       {"RemoteDebugConfig", RemoteDebugConfigShape()}});
}

}  // namespace

Reply<Json> UpdateTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = UpdateShape();
  Violations violations;
  if (auto error = Check(kShape, input, violations)) return tl::unexpected(std::move(*error));
  RefuseMembers(jobs::EffectsOf(jobs::TrainingJobMembers(), input), violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());
  HEADRACE_REPLY_PASS(const auto job, FindTrainingJob(options, call, input["TrainingJobName"]));
  const auto updated =
      store::TrainingJobs(options.database).Update(job.account_id, job.name, [&](store::TrainingJob& record) -> Status {
        if (store::IsTerminal(record.status)) {
          return Fail(ErrorCode::kFailedPrecondition,
                      "The request was rejected because the training job is in status {}.", record.status);
        }
        Json request = Json::parse(record.request);
        for (const char* part : {"ProfilerConfig", "ResourceConfig", "RemoteDebugConfig"}) {
          if (input.contains(part) && input[part].is_object()) request[part].update(input[part]);
        }
        record.request = request.dump(-1, ' ', false, Json::error_handler_t::replace);
        record.modified = std::max(record.modified, call.now);
        return {};
      });
  if (updated) return Json{{"TrainingJobArn", updated->arn}};
  if (updated.error().code() != ErrorCode::kFailedPrecondition) return tl::unexpected(ServerFault(updated.error()));
  return aws::Refuse("ValidationException", updated.error().message());
}

}  // namespace headrace::api::sagemaker
