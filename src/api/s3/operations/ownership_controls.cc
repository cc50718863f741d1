#include <pugixml.hpp>

#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr const char* kOwnershipControls = "ownershipControls";

}  // namespace

Outcome GetBucketOwnershipControls(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketOwnershipControls"));
  auto document = Configuration(bucket, kOwnershipControls, OwnershipDocument("BucketOwnerEnforced"));
  if (document) return Xml(std::move(*document));
  ServiceError error{"OwnershipControlsNotFoundError",
                     "The bucket ownership controls were not found",
                     404,
                     {{"BucketName", bucket.name}},
                     {}};
  return Refusal(std::move(error));
}

Outcome PutBucketOwnershipControls(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutBucketOwnershipControls"));
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  const pugi::xml_node rule = document->child("OwnershipControls").child("Rule");
  const std::string ownership = rule.child_value("ObjectOwnership");
  if (!rule || rule.next_sibling("Rule") || !CheckOwnership(ownership)) return MalformedXml();
  if (ownership == "BucketOwnerEnforced" && bucket.acl != "private")
    return aws::Refuse("InvalidBucketAclWithObjectOwnership",
                       "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  return SetConfiguration(exchange, kOwnershipControls, OwnershipDocument(ownership), 200);
}

Outcome DeleteBucketOwnershipControls(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketOwnershipControls"));
  return SetConfiguration(exchange, kOwnershipControls, "", 204);
}

}  // namespace headrace::api::s3
