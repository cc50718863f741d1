#include "api/s3/configuration.h"

#include <array>

#include <pugixml.hpp>

#include "aws/xml.h"
#include "store/access/policy.h"

namespace headrace::api::s3 {
namespace {

struct Switch {
  const char* element;
  bool PublicAccess::*member;
};
constexpr std::array<Switch, 4> kSwitches = {{{"BlockPublicAcls", &PublicAccess::block_acls},
                                              {"IgnorePublicAcls", &PublicAccess::ignore_acls},
                                              {"BlockPublicPolicy", &PublicAccess::block_policy},
                                              {"RestrictPublicBuckets", &PublicAccess::restrict_buckets}}};

PublicAccess PublicAccessOf(const store::Bucket& bucket) {
  const auto kept = bucket.configurations.find("publicAccessBlock");
  if (kept == bucket.configurations.end() || kept->second.empty()) return {};
  return ReadPublicAccessDocument(kept->second).value_or(PublicAccess{});
}

bool OwnerOwnsAll(const store::Bucket& bucket) {
  const auto kept = bucket.configurations.find("ownershipControls");
  return kept != bucket.configurations.end() && kept->second.find("BucketOwnerEnforced") != std::string::npos;
}

bool IsPublicAcl(std::string_view acl) {
  return acl == "public-read" || acl == "public-read-write" || acl == "authenticated-read";
}

}  // namespace

std::optional<std::string> Configuration(const store::Bucket& bucket, const std::string& name, std::string otherwise) {
  const auto kept = bucket.configurations.find(name);
  if (kept == bucket.configurations.end()) return otherwise;
  if (kept->second.empty()) return std::nullopt;
  return kept->second;
}

Outcome SetConfiguration(Exchange& exchange, const std::string& name, const std::string& document, int status) {
  const auto updated = exchange.objects.UpdateBucket(
      exchange.bucket, [&](store::Bucket& bucket) { bucket.configurations[name] = document; });
  if (!updated && updated.error().code() == ErrorCode::kNotFound) return NoSuchBucket(exchange.bucket);
  if (!updated) return StoreFailure(updated.error());
  return Empty(status);
}

Reply<PublicAccess> ReadPublicAccessDocument(std::string_view text) {
  S3_ASSIGN(const auto document, aws::ParseXml(text));
  const pugi::xml_node root = document->child("PublicAccessBlockConfiguration");
  if (!root) return MalformedXml();
  PublicAccess access;
  for (const pugi::xml_node child : root.children()) {
    const auto* found = std::find_if(kSwitches.begin(), kSwitches.end(),
                                     [&](const Switch& one) { return std::string_view(child.name()) == one.element; });
    const std::string_view value = child.child_value();
    if (child.type() != pugi::node_element) continue;
    if (found == kSwitches.end() || (value != "true" && value != "false" && value != "TRUE" && value != "FALSE"))
      return MalformedXml();
    access.*(found->member) = value == "true" || value == "TRUE";
  }
  return access;
}

std::string PublicAccessDocument(const PublicAccess& access) {
  aws::XmlWriter xml;
  xml.Open("PublicAccessBlockConfiguration", kXmlns);
  for (const Switch& one : kSwitches) xml.Element(one.element, access.*(one.member));
  return xml.Finish();
}

std::string OwnershipDocument(const std::string& ownership) {
  aws::XmlWriter xml;
  xml.Open("OwnershipControls", kXmlns).Open("Rule").Element("ObjectOwnership", ownership);
  return xml.Finish();
}

Reply<void> CheckOwnership(const std::string& ownership) {
  if (ownership == "BucketOwnerEnforced" || ownership == "BucketOwnerPreferred" || ownership == "ObjectWriter")
    return {};
  return InvalidArgument("x-amz-object-ownership", ownership, "Invalid x-amz-object-ownership header");
}

Reply<void> CheckAclIsPermitted(const store::Bucket& bucket, std::string_view acl) {
  if (bucket.configurations.empty()) return {};
  if (OwnerOwnsAll(bucket) && acl != "private" && acl != "bucket-owner-full-control")
    return aws::Refuse("AccessControlListNotSupported", "The bucket does not allow ACLs");
  if (IsPublicAcl(acl) && PublicAccessOf(bucket).block_acls) return AccessDenied();
  return {};
}

Reply<void> CheckPolicyIsPermitted(const store::Bucket& bucket, const std::string& policy) {
  if (bucket.configurations.empty()) return {};
  if (PublicAccessOf(bucket).block_policy && IsPublicPolicy(bucket, policy)) return AccessDenied();
  return {};
}

bool IsPublicPolicy(const store::Bucket& bucket, const std::string& policy) {
  const auto parsed = store::Policy::Parse(policy, bucket.name);
  return parsed && parsed->IsPublic();
}

}  // namespace headrace::api::s3
