#include <optional>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/job_buckets.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/request.h"
#include "api/sagemaker/training_job_checks.h"
#include "api/sagemaker/training_job_shape.h"
#include "jobs/archive/unpack.h"
#include "jobs/inputs/s3_uri.h"
#include "jobs/request/training_request.h"
#include "jobs/request/training_status.h"
#include "store/meta/training_jobs.h"

namespace headrace::api::sagemaker {
namespace {

void SetDefault(Json& object, const char* name, Json value) {
  if (!object.contains(name) || object[name].is_null()) object[name] = std::move(value);
}

// The request as DescribeTrainingJob echoes it: with the service's defaults.
Json Completed(Json request) {
  SetDefault(request, "HyperParameters", Json::object());
  SetDefault(request, "InputDataConfig", Json::array());
  for (const char* flag :
       {"EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"}) {
    SetDefault(request, flag, false);
  }
  SetDefault(request, "StoppingCondition", Json::object());
  SetDefault(request["StoppingCondition"], "MaxRuntimeInSeconds", jobs::kDefaultMaxRuntimeSeconds);
  SetDefault(request["OutputDataConfig"], "KmsKeyId", "");
  SetDefault(request["OutputDataConfig"], "CompressionType", "GZIP");
  SetDefault(request["ResourceConfig"], "VolumeSizeInGB", jobs::kDefaultVolumeGiB);
  Json& algorithm = request["AlgorithmSpecification"];
  const bool has_metrics = algorithm.contains("MetricDefinitions") && !algorithm["MetricDefinitions"].empty();
  SetDefault(algorithm, "EnableSageMakerMetricsTimeSeries", has_metrics);
  for (auto& channel : request["InputDataConfig"]) {
    SetDefault(channel, "CompressionType", "None");
    SetDefault(channel, "RecordWrapperType", "None");
    SetDefault(channel["DataSource"]["S3DataSource"], "S3DataDistributionType", "FullyReplicated");
  }
  if (request.contains("CheckpointConfig"))
    SetDefault(request["CheckpointConfig"], "LocalPath", jobs::kDefaultCheckpointPath);
  return request;
}

store::TrainingJob NewJob(const Call& call, const Json& request) {
  store::TrainingJob job;
  job.account_id = call.caller.account_id;
  job.name = request["TrainingJobName"];
  job.arn = fmt::format("arn:aws:sagemaker:{}:{}:training-job/{}", call.region, job.account_id, job.name);
  job.request = RequestText(request);
  job.created = call.now;
  store::MoveTo(job, jobs::Text(jobs::SecondaryStatus::kStarting), "Starting the training job", call.now);
  return job;
}

// A program that cannot run is refused at once: the job itself would say so half a minute later to those who wait.
std::optional<aws::ServiceError> CheckSourceOf(const SageMakerOptions& options, const Call& call,
                                               const jobs::TrainingRequest& request) {
  const auto uri = request.hyperparameters.Text("sagemaker_submit_directory");
  if (!options.check_program || !jobs::IsUri(uri)) return std::nullopt;
  const auto where = jobs::ParseS3Uri(uri);
  if (!where) return std::nullopt;
  const auto objects = ObjectsOf(options, call);
  const auto source = objects.Find(where->bucket, where->key);
  if (!source) return std::nullopt;  // it may still come
  auto archive = jobs::OpenArchive(objects.BlobPath(*source));
  if (!archive) return std::nullopt;
  const Status runs = options.check_program(request, std::move(*archive));
  if (runs) return std::nullopt;
  return aws::ServiceError{"ValidationException", runs.error().message(), 400, {}, {}};
}

}  // namespace

Reply<Json> CreateTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = CreateTrainingJobShape();
  Json cleaned = WithoutNulls(input);
  Violations violations;
  if (auto error = Check(kShape, cleaned, violations)) return tl::unexpected(std::move(*error));
  CheckAcrossMembers(cleaned, violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());
  if (auto refused = CheckMayRun(options, call)) return tl::unexpected(std::move(*refused));

  const auto tags = TakeTags(cleaned);
  const Json request = Completed(std::move(cleaned));
  // As those will read it who run the job: what they could not is not stored.
  const auto decoded = jobs::DecodeTrainingRequest(request);
  if (!decoded) return aws::Refuse("ValidationException", decoded.error().message());
  if (const Status fits = options.fits ? options.fits(decoded->host_sizes()) : Status(); !fits)
    return aws::Refuse("ResourceLimitExceeded", fits.error().message());
  store::TrainingJob job = NewJob(call, request);
  HEADRACE_REPLY(const auto taken, store::TrainingJobs(options.database).Find(job.account_id, job.name));
  const auto in_use = [&job] {
    return aws::Refuse("ResourceInUse", fmt::format("Training job names must be unique within an AWS account and "
                                                    "region, and a training job with this name already exists ({})",
                                                    job.arn));
  };
  if (taken) return in_use();
  if (options.objects) {
    if (auto error = CheckBuckets(ObjectsOf(options, call), call, *decoded)) return tl::unexpected(std::move(*error));
    if (auto error = CheckSourceOf(options, call, *decoded)) return tl::unexpected(std::move(*error));
  }
  bool inserted = false;
  HEADRACE_REPLY_TRY(options.database.Write([&](store::Connection& db) -> Status {
    HEADRACE_ASSIGN(inserted, store::TrainingJobs::InsertIn(db, job));
    return inserted ? store::Tags::AddIn(db, job.account_id, job.arn, tags) : Status();
  }));
  if (!inserted) return in_use();
  if (options.submit) options.submit(job.account_id, job.name);
  return Json{{"TrainingJobArn", job.arn}};
}

}  // namespace headrace::api::sagemaker
