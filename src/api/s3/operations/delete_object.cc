#include "api/s3/access.h"
#include "api/s3/operations.h"

namespace headrace::api::s3 {

Outcome DeleteObject(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:DeleteObject"));
  const std::string version = exchange.ParameterOr("versionId", "null");
  if (version != "null") return NoSuchVersion(exchange.key, version);
  store::Precondition wanted;
  if (const std::string* match = exchange.request.headers.Find("If-Match")) wanted.any_etag = {Unquoted(*match)};
  const auto deleted = exchange.objects.Delete(exchange.bucket, exchange.key, wanted);
  if (deleted) return Empty(204);
  if (deleted.error().code() == ErrorCode::kFailedPrecondition) return PreconditionFailed("If-Match");
  if (deleted.error().code() == ErrorCode::kNotFound) return NoSuchKey(exchange.key);
  return StoreFailure(deleted.error());
}

}  // namespace headrace::api::s3
