#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/operations.h"
#include "api/s3/owner.h"

namespace headrace::api::s3 {

Outcome GetObjectAcl(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(const store::Object object, ObjectFor(exchange, bucket, "s3:GetObjectAcl"));
  return Xml(AclDocument(object.info.owner, object.info.acl));
}

Outcome PutObjectAcl(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(const store::Object object, ObjectFor(exchange, bucket, "s3:PutObjectAcl"));
  S3_ASSIGN(std::string acl, CannedAcl(exchange));
  if (!exchange.request.headers.Has("x-amz-acl")) {
    S3_ASSIGN(acl, ReadAclDocument(exchange.body, object.info.owner));
  }
  S3_TRY(CheckAclIsPermitted(bucket, acl));
  const auto updated =
      exchange.objects.UpdateInfo(exchange.bucket, exchange.key, [&](store::ObjectInfo& info) { info.acl = acl; });
  if (!updated && updated.error().code() == ErrorCode::kNotFound) return NoSuchKey(exchange.key);
  if (!updated) return StoreFailure(updated.error());
  return Empty(200);
}

}  // namespace headrace::api::s3
