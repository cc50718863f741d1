#include "api/s3/access.h"

#include <algorithm>
#include <array>

#include "store/access/permissions.h"

namespace headrace::api::s3 {
namespace {

constexpr std::array<std::string_view, 7> kCannedAcls = {
    "private",       "public-read",       "public-read-write",        "authenticated-read",
    "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control"};

}  // namespace

Reply<std::string> CannedAcl(const Exchange& exchange) {
  for (const auto& field : exchange.request.headers.fields()) {
    std::string name = field.name.substr(0, 12);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name == "x-amz-grant-") return NotImplemented(field.name);
  }
  const std::string acl = exchange.Header("x-amz-acl");
  if (acl.empty()) return std::string("private");
  if (std::find(kCannedAcls.begin(), kCannedAcls.end(), acl) == kCannedAcls.end())
    return InvalidArgument("x-amz-acl", acl, "The canned ACL is not one that we know");
  return acl;
}

Reply<void> Permit(const Exchange& exchange, const store::Bucket& bucket, std::string_view key,
                   const store::Object* object, std::string_view action) {
  const auto& [account, user, key_id, arn] = exchange.call.caller;
  const store::Caller caller{account, user, arn};
  const store::Permissions permissions(caller, bucket);
  if (permissions.Allow(action, key, object == nullptr ? nullptr : &object->info)) return {};
  return AccessDenied();
}

Reply<store::Bucket> LookUpBucket(const Exchange& exchange, const std::string& name) {
  auto bucket = exchange.objects.FindBucket(name);
  if (bucket) return std::move(*bucket);
  if (bucket.error().code() == ErrorCode::kNotFound) return NoSuchBucket(name);
  return StoreFailure(bucket.error());
}

Reply<store::Bucket> BucketFor(const Exchange& exchange, std::string_view action) {
  S3_ASSIGN(store::Bucket bucket, LookUpBucket(exchange, exchange.bucket));
  const std::string expected = exchange.Header("x-amz-expected-bucket-owner");
  if (!expected.empty() && expected != bucket.owner) return AccessDenied();
  if (!action.empty()) S3_TRY(Permit(exchange, bucket, exchange.key, nullptr, action));
  return bucket;
}

Reply<store::Object> ObjectFor(const Exchange& exchange, const store::Bucket& bucket, std::string_view action) {
  const std::string version = exchange.ParameterOr("versionId", "null");
  auto object = exchange.objects.Find(bucket.name, exchange.key);
  if (!object && object.error().code() != ErrorCode::kNotFound) return StoreFailure(object.error());
  if (!object) {
    S3_TRY(Permit(exchange, bucket, "", nullptr, "s3:ListBucket"));
    return NoSuchKey(exchange.key);
  }
  S3_TRY(Permit(exchange, bucket, exchange.key, &*object, action));
  if (version != "null") return NoSuchVersion(exchange.key, version);
  return std::move(*object);
}

}  // namespace headrace::api::s3
