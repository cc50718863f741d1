#include "api/s3/access.h"

#include <algorithm>
#include <array>

#include "api/s3/policy.h"

namespace headrace::api::s3 {
namespace {

constexpr std::array<std::string_view, 7> kCannedAcls = {
    "private",       "public-read",       "public-read-write",        "authenticated-read",
    "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control"};

bool EveryoneReads(std::string_view acl) {
  return acl == "public-read" || acl == "public-read-write" || acl == "authenticated-read";
}

// What a bucket's ACL lets accounts do that do not own it.
bool BucketAclAllows(const store::Bucket& bucket, std::string_view action) {
  if (EveryoneReads(bucket.acl) &&
      (action == "s3:ListBucket" || action == "s3:ListBucketVersions" || action == "s3:ListBucketMultipartUploads"))
    return true;
  return bucket.acl == "public-read-write" &&
         (action == "s3:PutObject" || action == "s3:DeleteObject" || action == "s3:AbortMultipartUpload" ||
          action == "s3:ListMultipartUploadParts");
}

bool ObjectAclAllows(const store::Object& object, const std::string& account, std::string_view action) {
  const bool reads = action == "s3:GetObject" || action == "s3:GetObjectAttributes";
  if (reads && EveryoneReads(object.info.acl)) return true;
  return object.info.owner == account && (reads || action == "s3:GetObjectAcl" || action == "s3:PutObjectAcl");
}

Verdict JudgeByPolicy(const Exchange& exchange, const store::Bucket& bucket, std::string_view key,
                      std::string_view action) {
  if (bucket.policy.empty()) return Verdict::kNone;
  const auto policy = Policy::Parse(bucket.policy, bucket.name);
  if (!policy) return Verdict::kDeny;  // cannot be: it was parsed when it was put
  const std::string resource = fmt::format("arn:aws:s3:::{}{}{}", bucket.name, key.empty() ? "" : "/", key);
  return policy->Judge(exchange.call.caller, action, resource);
}

// The owner can always mend a policy that locks everybody out.
bool IsPolicyAction(std::string_view action) {
  return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" || action == "s3:DeleteBucketPolicy";
}

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
  const bool owner = bucket.owner == exchange.call.caller.account_id;
  if (owner && IsPolicyAction(action)) return {};
  const Verdict verdict = JudgeByPolicy(exchange, bucket, key, action);
  if (verdict == Verdict::kDeny) return AccessDenied();
  if (verdict == Verdict::kAllow || owner) return {};
  if (BucketAclAllows(bucket, action)) return {};
  if (object != nullptr && ObjectAclAllows(*object, exchange.call.caller.account_id, action)) return {};
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
