#include <pugixml.hpp>

#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/names.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

// LocationConstraint of the document, or the region that the request was signed for.
Reply<std::string> RegionOf(const Exchange& exchange) {
  if (exchange.body.empty()) return exchange.call.region;
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  const pugi::xml_node root = document->child("CreateBucketConfiguration");
  if (!root) return MalformedXml();
  for (const pugi::xml_node child : root.children()) {
    const std::string_view name = child.name();
    if (name != "LocationConstraint" && name != "Tags") return NotImplemented(name);
  }
  const std::string region = root.child_value("LocationConstraint");
  return region.empty() ? exchange.call.region : region == "EU" ? "eu-west-1" : region;
}

Reply<store::Pairs> TagsOf(const Exchange& exchange) {
  store::Pairs tags;
  if (exchange.body.empty()) return tags;
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  for (const pugi::xml_node tag : document->child("CreateBucketConfiguration").child("Tags").children("Tag"))
    tags.emplace_back(tag.child_value("Key"), tag.child_value("Value"));
  S3_TRY(CheckTags(tags, 50));
  return tags;
}

Outcome Created(const store::Bucket& bucket) {
  http::Response response = Empty(200);
  response.headers.Set("Location", "/" + bucket.name);
  return response;
}

// Somebody's, ours perhaps.
Outcome Taken(const Exchange& exchange, const store::Bucket& wanted) {
  S3_ASSIGN(const store::Bucket bucket, LookUpBucket(exchange, wanted.name));
  if (bucket.owner != wanted.owner) {
    ServiceError error{"BucketAlreadyExists",
                       "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                       "system. Please select a different name and try again.",
                       409,
                       {{"BucketName", bucket.name}},
                       {}};
    return Refusal(std::move(error));
  }
  if (wanted.region == "us-east-1" && bucket.region == "us-east-1") return Created(bucket);  // as Amazon's does
  ServiceError error{"BucketAlreadyOwnedByYou",
                     "Your previous request to create the named bucket succeeded and you already own it.",
                     409,
                     {{"BucketName", bucket.name}},
                     {}};
  return Refusal(std::move(error));
}

}  // namespace

Outcome CreateBucket(Exchange& exchange) {
  S3_TRY(CheckBucketName(exchange.bucket));
  if (exchange.Header("x-amz-bucket-object-lock-enabled") == "true") return NotImplemented("Object lock");
  store::Bucket bucket;
  bucket.name = exchange.bucket;
  bucket.owner = exchange.call.caller.account_id;
  S3_ASSIGN(bucket.region, RegionOf(exchange));
  S3_ASSIGN(bucket.acl, CannedAcl(exchange));
  S3_ASSIGN(bucket.tags, TagsOf(exchange));
  if (const std::string ownership = exchange.Header("x-amz-object-ownership"); !ownership.empty()) {
    S3_TRY(CheckOwnership(ownership));
    bucket.configurations["ownershipControls"] = OwnershipDocument(ownership);
    if (ownership == "BucketOwnerEnforced" && bucket.acl != "private")
      return aws::Refuse("InvalidBucketAclWithObjectOwnership",
                         "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  }
  const auto created = exchange.objects.CreateBucket(bucket);
  if (created) return Created(*created);
  if (created.error().code() == ErrorCode::kAlreadyExists) return Taken(exchange, bucket);
  return StoreFailure(created.error());
}

}  // namespace headrace::api::s3
