#include "api/sagemaker/job_buckets.h"

#include <fmt/format.h>

#include "api/input.h"

namespace headrace::api::sagemaker {
namespace {

using aws::Json;

// "s3://bucket/key/prefix". nullopt for other URIs.
struct S3Location {
  std::string bucket, key;
};
std::optional<S3Location> Split(std::string_view uri) {
  constexpr std::string_view kScheme = "s3://";
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const size_t slash = uri.find('/');
  if (slash == std::string_view::npos) return S3Location{std::string(uri), {}};
  return S3Location{std::string(uri.substr(0, slash)), std::string(uri.substr(slash + 1))};
}

// Whether the caller has objects there.
Result<bool> HasObjects(const store::ObjectStore& objects, const aws::Call& call, const S3Location& where) {
  const auto bucket = objects.FindBucket(where.bucket);
  if (!bucket && bucket.error().code() == ErrorCode::kNotFound) return false;
  if (!bucket) return tl::unexpected(bucket.error());
  if (bucket->owner != call.caller.account_id) return false;
  HEADRACE_ASSIGN(const auto listing, objects.List({.bucket = where.bucket, .prefix = where.key, .limit = 1}));
  return !listing.objects.empty();
}

// Hyperparameters hold JSON: a text is in quotation marks of its own.
std::string Unquoted(const std::string& value) {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::optional<aws::ServiceError> CheckInput(const store::ObjectStore& objects, const aws::Call& call,
                                            const std::string& role, const std::string& uri) {
  const auto where = Split(uri);
  if (!where) {
    return aws::ServiceError{
        "ValidationException",
        fmt::format("Input data source \"{}\": found no s3:// URL, and others are not supported here.", uri),
        400,
        {},
        {}};
  }
  const auto found = HasObjects(objects, call, *where);
  if (!found) return ServerFault(found.error());
  if (*found) return std::nullopt;
  return aws::ServiceError{
      "ValidationException",
      fmt::format("No S3 objects found under S3 URL \"{}\" given in input data source. Please ensure that the bucket "
                  "exists in the selected region ({}), that objects exist under that S3 prefix, and that the role "
                  "\"{}\" has \"s3:ListBucket\" permissions on bucket \"{}\".",
                  uri, call.region, role, where->bucket),
      400,
      {},
      {}};
}

std::optional<aws::ServiceError> CheckOwner(const store::ObjectStore& objects, const aws::Call& call,
                                            const std::string& what, const std::string& uri) {
  const auto where = Split(uri);
  if (!where) return std::nullopt;
  const auto bucket = objects.FindBucket(where->bucket);
  if (!bucket && bucket.error().code() != ErrorCode::kNotFound) return ServerFault(bucket.error());
  // A bucket that is not there may still come; the job says so when it needs it.
  if (!bucket || bucket->owner == call.caller.account_id) return std::nullopt;
  return aws::ServiceError{
      "ValidationException",
      fmt::format("{}: account {} has no access to the bucket of \"{}\".", what, call.caller.account_id, uri),
      400,
      {},
      {}};
}

std::optional<aws::ServiceError> CheckBuckets(const store::ObjectStore& objects, const aws::Call& call,
                                              const Json& request) {
  for (const auto& channel : request["InputDataConfig"]) {
    const std::string uri = channel["DataSource"]["S3DataSource"]["S3Uri"];
    if (auto error = CheckInput(objects, call, TextOr(request, "RoleArn"), uri)) return error;
  }
  std::vector<std::pair<std::string, std::string>> others{
      {"OutputDataConfig.S3OutputPath", TextOr(request["OutputDataConfig"], "S3OutputPath")},
      {"HyperParameters.sagemaker_submit_directory",
       Unquoted(TextOr(request["HyperParameters"], "sagemaker_submit_directory"))}};
  if (request.contains("CheckpointConfig")) {
    others.emplace_back("CheckpointConfig.S3Uri", TextOr(request["CheckpointConfig"], "S3Uri"));
  }
  for (const auto& [what, uri] : others) {
    if (auto error = CheckOwner(objects, call, what, uri)) return error;
  }
  return std::nullopt;
}

}  // namespace headrace::api::sagemaker
