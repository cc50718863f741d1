#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/operations.h"
#include "api/s3/owner.h"

namespace headrace::api::s3 {

Outcome GetBucketAcl(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketAcl"));
  return Xml(AclDocument(bucket.owner, bucket.acl));
}

Outcome PutBucketAcl(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutBucketAcl"));
  S3_ASSIGN(std::string acl, CannedAcl(exchange));
  if (!exchange.request.headers.Has("x-amz-acl")) {
    S3_ASSIGN(acl, ReadAclDocument(exchange.body, bucket.owner));
  }
  S3_TRY(CheckAclIsPermitted(bucket, acl));
  const auto updated = exchange.objects.UpdateBucket(bucket.name, [&](store::Bucket& changed) { changed.acl = acl; });
  if (!updated) return StoreFailure(updated.error());
  return Empty(200);
}

}  // namespace headrace::api::s3
