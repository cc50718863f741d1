#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "api/s3/tagging.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxBucketTags = 50;

Outcome SetTags(Exchange& exchange, const store::Pairs& tags) {
  const auto updated =
      exchange.objects.UpdateBucket(exchange.bucket, [&](store::Bucket& bucket) { bucket.tags = tags; });
  if (!updated) return StoreFailure(updated.error());
  return Empty(204);
}

}  // namespace

Outcome GetBucketTagging(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketTagging"));
  if (bucket.tags.empty()) {
    ServiceError error{"NoSuchTagSet", "The TagSet does not exist", 404, {{"BucketName", bucket.name}}, {}};
    return Refusal(std::move(error));
  }
  return Xml(TaggingDocument(bucket.tags));
}

Outcome PutBucketTagging(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketTagging"));
  S3_ASSIGN(const store::Pairs tags, ReadTaggingDocument(exchange.body, kMaxBucketTags));
  return SetTags(exchange, tags);
}

Outcome DeleteBucketTagging(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketTagging"));
  return SetTags(exchange, {});
}

}  // namespace headrace::api::s3
