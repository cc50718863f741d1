#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/operations.h"
#include "store/access/policy.h"

namespace headrace::api::s3 {
namespace {

Outcome SetPolicy(Exchange& exchange, const std::string& document) {
  const auto updated =
      exchange.objects.UpdateBucket(exchange.bucket, [&](store::Bucket& bucket) { bucket.policy = document; });
  if (!updated) return StoreFailure(updated.error());
  return Empty(204);
}

Reply<void> CheckPolicy(const Exchange& exchange) {
  const auto policy = store::Policy::Parse(exchange.body, exchange.bucket);
  if (policy) return {};
  if (policy.error().code() == ErrorCode::kFailedPrecondition) return NotImplemented(policy.error().message());
  return aws::Refuse("MalformedPolicy", policy.error().message());
}

}  // namespace

Outcome GetBucketPolicy(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketPolicy"));
  if (bucket.policy.empty()) {
    ServiceError error{
        "NoSuchBucketPolicy", "The bucket policy does not exist", 404, {{"BucketName", bucket.name}}, {}};
    return Refusal(std::move(error));
  }
  return http::TextResponse(200, "application/json", bucket.policy);
}

Outcome PutBucketPolicy(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutBucketPolicy"));
  S3_TRY(CheckPolicy(exchange));
  S3_TRY(CheckPolicyIsPermitted(bucket, exchange.body));
  return SetPolicy(exchange, exchange.body);
}

Outcome DeleteBucketPolicy(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:DeleteBucketPolicy"));
  return SetPolicy(exchange, "");
}

}  // namespace headrace::api::s3
