#include "store/access/permissions.h"

namespace headrace::store {
namespace {

bool EveryoneReads(std::string_view acl) {
  return acl == "public-read" || acl == "public-read-write" || acl == "authenticated-read";
}

// What a bucket's ACL lets accounts do that do not own it. To read the bucket is to list it: what its objects hold is
// for their own ACLs to say.
bool BucketAclAllows(std::string_view acl, std::string_view action) {
  if (EveryoneReads(acl) &&
      (action == "s3:ListBucket" || action == "s3:ListBucketVersions" || action == "s3:ListBucketMultipartUploads"))
    return true;
  return acl == "public-read-write" && (action == "s3:PutObject" || action == "s3:DeleteObject" ||
                                        action == "s3:AbortMultipartUpload" || action == "s3:ListMultipartUploadParts");
}

bool ObjectAclAllows(const ObjectInfo& object, const std::string& account, std::string_view action, bool public_too) {
  const bool reads = action == "s3:GetObject" || action == "s3:GetObjectAttributes";
  if (reads && public_too && EveryoneReads(object.acl)) return true;
  return object.owner == account && (reads || action == "s3:GetObjectAcl" || action == "s3:PutObjectAcl");
}

// Whether the document of a configuration that was put says so; documents are kept as api/s3 writes them.
bool Says(const Bucket& bucket, const char* configuration, std::string_view element, std::string_view value) {
  const auto kept = bucket.configurations.find(configuration);
  return kept != bucket.configurations.end() &&
         kept->second.find(fmt::format("<{0}>{1}</{0}>", element, value)) != std::string::npos;
}

// The owner can always mend a policy that locks everybody out.
bool IsPolicyAction(std::string_view action) {
  return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" || action == "s3:DeleteBucketPolicy";
}

}  // namespace

Permissions::Permissions(const Caller& caller, const Bucket& bucket)
    : caller_(caller),
      bucket_(bucket),
      owner_(!bucket.owner.empty() && bucket.owner == caller.account_id),
      acls_count_(!Says(bucket, "ownershipControls", "ObjectOwnership", "BucketOwnerEnforced")),
      public_acls_count_(acls_count_ && !Says(bucket, "publicAccessBlock", "IgnorePublicAcls", "true")) {
  if (bucket.policy.empty()) return;
  if (auto policy = Policy::Parse(bucket.policy, bucket.name)) policy_ = std::move(*policy);
}

Verdict Permissions::Judge(std::string_view action, std::string_view key) const {
  if (bucket_.policy.empty()) return Verdict::kNone;
  if (!policy_) return Verdict::kDeny;  // cannot be: it was parsed when it was put
  const Verdict verdict =
      policy_->Judge(caller_, action, fmt::format("arn:aws:s3:::{}{}{}", bucket_.name, key.empty() ? "" : "/", key));
  const bool restricted = verdict == Verdict::kAllow && !owner_ && policy_->IsPublic() &&
                          Says(bucket_, "publicAccessBlock", "RestrictPublicBuckets", "true");
  return restricted ? Verdict::kNone : verdict;
}

bool Permissions::Allow(std::string_view action, std::string_view key, const ObjectInfo* object) const {
  if (owner_ && IsPolicyAction(action)) return true;
  const Verdict verdict = Judge(action, key);
  if (verdict == Verdict::kDeny) return false;
  if (verdict == Verdict::kAllow || owner_) return true;
  if (public_acls_count_ && BucketAclAllows(bucket_.acl, action)) return true;
  return acls_count_ && object != nullptr && ObjectAclAllows(*object, caller_.account_id, action, public_acls_count_);
}

}  // namespace headrace::store
