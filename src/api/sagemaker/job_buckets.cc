#include "api/sagemaker/job_buckets.h"

#include <fmt/format.h>

#include "api/input.h"
#include "jobs/inputs/s3_uri.h"

namespace headrace::api::sagemaker {
namespace {

aws::ServiceError BadLocation(std::string message) {
  return aws::ServiceError{"ValidationException", std::move(message), 400, {}, {}};
}

// What an error of the store means for a member called `what`: nothing when something may still come.
std::optional<aws::ServiceError> LocationError(const std::string& what, const std::string& uri, const Error& error) {
  if (error.code() == ErrorCode::kNotFound) return std::nullopt;
  if (error.code() == ErrorCode::kFailedPrecondition)
    return BadLocation(fmt::format("{}: \"{}\": {}.", what, uri, error.message()));
  return ServerFault(error);
}

// One object, there or not yet.
std::optional<aws::ServiceError> CheckSource(const store::AccountObjects& objects, const std::string& what,
                                             const std::string& uri) {
  const auto where = jobs::ParseS3Uri(uri);
  if (!where) return BadLocation(fmt::format("{}: {}.", what, where.error().message()));
  const auto found = objects.Find(where->bucket, where->key);
  return found ? std::nullopt : LocationError(what, uri, found.error());
}

// Checkpoints are read and written.
std::optional<aws::ServiceError> CheckCheckpoints(const store::AccountObjects& objects, std::string uri) {
  const std::string what = "CheckpointConfig.S3Uri";
  if (auto error = CheckOutput(objects, what, uri)) return error;
  if (!uri.ends_with('/')) uri += '/';
  const auto where = jobs::ParseS3Uri(uri);
  if (!where) return BadLocation(fmt::format("{}: {}.", what, where.error().message()));
  const auto first = objects.FindFirstBelow(where->bucket, where->key);
  return first ? std::nullopt : LocationError(what, uri, first.error());
}

}  // namespace

store::AccountObjects ObjectsOf(const SageMakerOptions& options, const Call& call) {
  return options.objects.As({call.caller.account_id, call.caller.user, call.caller.arn});
}

std::optional<aws::ServiceError> CheckInput(const store::AccountObjects& objects, const Call& call,
                                            const std::string& role, const std::string& uri) {
  const auto where = jobs::ParseS3Uri(uri);
  if (!where) return BadLocation(fmt::format("Input data source: {}.", where.error().message()));
  const auto first = objects.FindFirstBelow(where->bucket, where->key);
  if (first) return std::nullopt;
  if (first.error().code() != ErrorCode::kNotFound && first.error().code() != ErrorCode::kFailedPrecondition)
    return ServerFault(first.error());
  return BadLocation(
      fmt::format("No S3 objects found under S3 URL \"{}\" given in input data source. Please ensure that the bucket "
                  "exists in the selected region ({}), that objects exist under that S3 prefix, and that the role "
                  "\"{}\" has \"s3:ListBucket\" permissions on bucket \"{}\". ({})",
                  uri, call.region, role, where->bucket, first.error().message()));
}

std::optional<aws::ServiceError> CheckOutput(const store::AccountObjects& objects, const std::string& what,
                                             const std::string& uri) {
  const auto where = jobs::ParseS3Uri(uri);
  if (!where) return BadLocation(fmt::format("{}: {}.", what, where.error().message()));
  std::string prefix = where->key;
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  const auto allowed = objects.Check(where->bucket, prefix, "s3:PutObject");
  return allowed ? std::nullopt : LocationError(what, uri, allowed.error());
}

std::optional<aws::ServiceError> CheckBuckets(const store::AccountObjects& objects, const Call& call,
                                              const jobs::TrainingRequest& request) {
  for (const auto& channel : request.channels)
    if (auto error = CheckInput(objects, call, request.role_arn, channel.s3_uri)) return error;
  if (auto error = CheckOutput(objects, "OutputDataConfig.S3OutputPath", request.output.s3_output_path)) return error;
  const std::string source = request.hyperparameters.Text("sagemaker_submit_directory");
  if (jobs::IsUri(source)) {
    if (auto error = CheckSource(objects, "HyperParameters.sagemaker_submit_directory", source)) return error;
  }
  if (!request.checkpoints) return std::nullopt;
  return CheckCheckpoints(objects, request.checkpoints->s3_uri);
}

}  // namespace headrace::api::sagemaker
