#include "api/s3/errors.h"

#include "base/log.h"

namespace headrace::api::s3 {
namespace {

using Details = std::vector<std::pair<std::string, std::string>>;

Refusal Make(std::string code, std::string message, int status, Details details = {}) {
  return Refusal(ServiceError{std::move(code), std::move(message), status, std::move(details), {}});
}

}  // namespace

Refusal AccessDenied() { return Make("AccessDenied", "Access Denied", 403); }

Refusal NoSuchBucket(const std::string& bucket) {
  return Make("NoSuchBucket", "The specified bucket does not exist", 404, {{"BucketName", bucket}});
}

Refusal NoSuchKey(const std::string& key) {
  return Make("NoSuchKey", "The specified key does not exist.", 404, {{"Key", key}});
}

Refusal NoSuchUpload(const std::string& id) {
  return Make("NoSuchUpload",
              "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
              "or completed.",
              404, {{"UploadId", id}});
}

Refusal NoSuchVersion(const std::string& key, const std::string& version) {
  return Make("NoSuchVersion", "The specified version does not exist.", 404, {{"Key", key}, {"VersionId", version}});
}

Refusal NotImplemented(std::string_view what) {
  return Make("NotImplemented",
              fmt::format("{}: a header or parameter you provided implies functionality that is not "
                          "implemented",
                          what),
              501);
}

Refusal InvalidArgument(std::string_view name, std::string_view value, std::string_view message) {
  return Make("InvalidArgument", std::string(message), 400,
              {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}});
}

Refusal InvalidRequest(std::string message) { return Make("InvalidRequest", std::move(message), 400); }

Refusal MalformedXml() {
  return Make("MalformedXML",
              "The XML you provided was not well-formed or did not validate against our published schema", 400);
}

Refusal PreconditionFailed(std::string_view condition) {
  return Make("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412,
              {{"Condition", std::string(condition)}});
}

Refusal ConditionalConflict(std::string_view condition, const std::string& key) {
  return Make("ConditionalRequestConflict",
              "The conditional request cannot succeed due to a conflicting operation against this resource.", 409,
              {{"Condition", std::string(condition)}, {"Key", key}});
}

Refusal StoreFailure(const Error& error) {
  if (error.code() == ErrorCode::kUnavailable) return Make("SlowDown", "Please reduce your request rate.", 503);
  Log(LogLevel::kError, "s3: {}", error.message());
  if (error.code() == ErrorCode::kResourceExhausted)
    return Make("ServiceUnavailable", "The disk of the server is full, or it has too many files open.", 503);
  return Make("InternalError", "We encountered an internal error. Please try again.", 500);
}

}  // namespace headrace::api::s3
