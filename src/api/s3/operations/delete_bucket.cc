#include "api/s3/access.h"
#include "api/s3/operations.h"

namespace headrace::api::s3 {

Outcome DeleteBucket(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:DeleteBucket"));
  const auto deleted = exchange.objects.DeleteBucket(exchange.bucket);
  if (deleted) return Empty(204);
  if (deleted.error().code() == ErrorCode::kNotFound) return NoSuchBucket(exchange.bucket);
  if (deleted.error().code() != ErrorCode::kFailedPrecondition) return StoreFailure(deleted.error());
  ServiceError error{
      "BucketNotEmpty", "The bucket you tried to delete is not empty", 409, {{"BucketName", exchange.bucket}}, {}};
  return Refusal(std::move(error));
}

}  // namespace headrace::api::s3
