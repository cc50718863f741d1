// Configurations of buckets that are kept as documents: encryption, public access, ownership.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/s3/operations.h"

namespace headrace::api::s3 {

// The document that was put, or `otherwise` where none ever was. Nothing: it was deleted.
std::optional<std::string> Configuration(const store::Bucket& bucket, const std::string& name, std::string otherwise);
// Keeps `document` ("": deleted) and answers `status`.
Outcome SetConfiguration(Exchange& exchange, const std::string& name, const std::string& document, int status);

// What a bucket's owner has said about public access; nothing is blocked until it has been put. (A new bucket shows
// all four as true, as S3's do: what "public" means here, every principal of this server, needs no blocking.)
struct PublicAccess {
  bool block_acls = false, ignore_acls = false, block_policy = false, restrict_buckets = false;
};
Reply<PublicAccess> ReadPublicAccessDocument(std::string_view document);
std::string PublicAccessDocument(const PublicAccess& access);

std::string OwnershipDocument(const std::string& ownership);
// "BucketOwnerEnforced", "BucketOwnerPreferred" or "ObjectWriter".
Reply<void> CheckOwnership(const std::string& ownership);

// Whether `acl` may be given to the bucket or one of its objects: AccessDenied where public ACLs are blocked,
// AccessControlListNotSupported where the bucket's owner owns all.
Reply<void> CheckAclIsPermitted(const store::Bucket& bucket, std::string_view acl);
// Whether a policy document may be put: AccessDenied for a public one where those are blocked.
Reply<void> CheckPolicyIsPermitted(const store::Bucket& bucket, const std::string& policy);
// Whether the policy lets everybody do something.
bool IsPublicPolicy(const store::Bucket& bucket, const std::string& policy);

}  // namespace headrace::api::s3
