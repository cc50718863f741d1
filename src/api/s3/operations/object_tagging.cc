#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "api/s3/tagging.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxObjectTags = 10;

Outcome SetTags(Exchange& exchange, const store::Pairs& tags, int status) {
  const auto updated =
      exchange.objects.UpdateInfo(exchange.bucket, exchange.key, [&](store::ObjectInfo& info) { info.tags = tags; });
  if (!updated && updated.error().code() == ErrorCode::kNotFound) return NoSuchKey(exchange.key);
  if (!updated) return StoreFailure(updated.error());
  return Empty(status);
}

}  // namespace

Outcome GetObjectTagging(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(const store::Object object, ObjectFor(exchange, bucket, "s3:GetObjectTagging"));
  return Xml(TaggingDocument(object.info.tags));
}

Outcome PutObjectTagging(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_TRY(ObjectFor(exchange, bucket, "s3:PutObjectTagging"));
  S3_ASSIGN(const store::Pairs tags, ReadTaggingDocument(exchange.body, kMaxObjectTags));
  return SetTags(exchange, tags, 200);
}

Outcome DeleteObjectTagging(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_TRY(ObjectFor(exchange, bucket, "s3:DeleteObjectTagging"));
  return SetTags(exchange, {}, 204);
}

}  // namespace headrace::api::s3
