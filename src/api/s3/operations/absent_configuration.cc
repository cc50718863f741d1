// Configurations that no bucket has here: reading one answers what S3 answers for a bucket without it, deleting one
// has nothing to do, and putting one succeeds only where it says what holds already.
#include <algorithm>
#include <array>

#include <pugixml.hpp>

#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

struct Absent {
  std::string_view parameter;      // the sub-resource
  std::string_view read, write;    // actions
  std::string_view code, message;  // 404; "": the document
  std::string_view root;           // of the document
};

constexpr std::array<Absent, 10> kAbsent = {{
    {"lifecycle", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "NoSuchLifecycleConfiguration",
     "The lifecycle configuration does not exist", ""},
    {"cors", "s3:GetBucketCORS", "s3:PutBucketCORS", "NoSuchCORSConfiguration", "The CORS configuration does not exist",
     ""},
    {"website", "s3:GetBucketWebsite", "s3:DeleteBucketWebsite", "NoSuchWebsiteConfiguration",
     "The specified bucket does not have a website configuration", ""},
    {"replication", "s3:GetReplicationConfiguration", "s3:PutReplicationConfiguration",
     "ReplicationConfigurationNotFoundError", "The replication configuration was not found", ""},
    {"object-lock", "s3:GetBucketObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration",
     "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", ""},
    {"metadataTable", "s3:GetBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration",
     "MetadataConfigurationNotFound", "The metadata configuration was not found", ""},
    {"metadataConfiguration", "s3:GetBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration",
     "MetadataConfigurationNotFound", "The metadata configuration was not found", ""},
    {"notification", "s3:GetBucketNotification", "s3:PutBucketNotification", "", "", "NotificationConfiguration"},
    {"logging", "s3:GetBucketLogging", "s3:PutBucketLogging", "", "", "BucketLoggingStatus"},
    {"accelerate", "s3:GetAccelerateConfiguration", "s3:PutAccelerateConfiguration", "", "", "AccelerateConfiguration"},
}};

// Those of which a bucket has a list.
struct AbsentList {
  std::string_view parameter, read, write, root;
};
constexpr std::array<AbsentList, 4> kLists = {{
    {"analytics", "s3:GetAnalyticsConfiguration", "s3:PutAnalyticsConfiguration",
     "ListBucketAnalyticsConfigurationsResult"},
    {"inventory", "s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration", "ListInventoryConfigurationsResult"},
    {"metrics", "s3:GetMetricsConfiguration", "s3:PutMetricsConfiguration", "ListMetricsConfigurationsResult"},
    {"intelligent-tiering", "s3:GetIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration",
     "ListBucketIntelligentTieringConfigurationsOutput"},
}};

template <typename Table>
const auto& RowFor(const Table& table, const Exchange& exchange) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& row) { return exchange.Parameter(row.parameter) != nullptr; });
  return found != table.end() ? *found : table.front();  // the dispatcher has seen the parameter
}

Refusal NotThere(std::string_view code, std::string_view message, const std::string& bucket) {
  return Refusal(ServiceError{std::string(code), std::string(message), 404, {{"BucketName", bucket}}, {}});
}

Refusal NoSuchConfiguration(const std::string& bucket) {
  return NotThere("NoSuchConfiguration", "The specified configuration does not exist.", bucket);
}

http::Response EmptyDocument(std::string_view root) {
  aws::XmlWriter xml;
  xml.Open(root, kXmlns);
  return Xml(xml.Finish());
}

}  // namespace

Outcome GetAbsentConfiguration(Exchange& exchange) {
  const Absent& row = RowFor(kAbsent, exchange);
  S3_TRY(BucketFor(exchange, row.read));
  if (!row.code.empty()) return NotThere(row.code, row.message, exchange.bucket);
  return EmptyDocument(row.root);
}

Outcome DeleteAbsentConfiguration(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, RowFor(kAbsent, exchange).write));
  return Empty(204);
}

// Empty notifications and logging, and Suspended acceleration, are what every bucket has.
Outcome PutEmptyConfiguration(Exchange& exchange) {
  const Absent& row = RowFor(kAbsent, exchange);
  S3_TRY(BucketFor(exchange, row.write));
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  const pugi::xml_node root = document->child(std::string(row.root).c_str());
  if (!root) return MalformedXml();
  if (std::string_view(root.child_value("Status")) == "Suspended") return Empty(200);
  for (const pugi::xml_node child : root.children())
    if (child.type() == pugi::node_element) return NotImplemented(fmt::format("{}: {}", row.parameter, child.name()));
  return Empty(200);
}

Outcome GetAbsentListed(Exchange& exchange) {
  const AbsentList& row = RowFor(kLists, exchange);
  S3_TRY(BucketFor(exchange, row.read));
  if (exchange.Parameter("id") != nullptr) return NoSuchConfiguration(exchange.bucket);
  aws::XmlWriter xml;
  xml.Open(row.root, kXmlns).Element("IsTruncated", false);
  return Xml(xml.Finish());
}

Outcome DeleteAbsentListed(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, RowFor(kLists, exchange).write));
  return NoSuchConfiguration(exchange.bucket);
}

Outcome GetBucketRequestPayment(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:GetBucketRequestPayment"));
  aws::XmlWriter xml;
  xml.Open("RequestPaymentConfiguration", kXmlns).Element("Payer", "BucketOwner");
  return Xml(xml.Finish());
}

Outcome PutBucketRequestPayment(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketRequestPayment"));
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  const std::string_view payer = document->child("RequestPaymentConfiguration").child_value("Payer");
  if (payer == "BucketOwner") return Empty(200);
  return payer == "Requester" ? Outcome(NotImplemented("Payer Requester")) : Outcome(MalformedXml());
}

Outcome GetBucketAbac(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:GetBucketAbac"));
  aws::XmlWriter xml;
  xml.Open("AbacStatus", kXmlns).Element("Status", "Disabled");
  return Xml(xml.Finish());
}

Outcome GetBucketPolicyStatus(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketPolicyStatus"));
  if (bucket.policy.empty()) return NotThere("NoSuchBucketPolicy", "The bucket policy does not exist", bucket.name);
  aws::XmlWriter xml;
  xml.Open("PolicyStatus", kXmlns).Element("IsPublic", IsPublicPolicy(bucket, bucket.policy));
  return Xml(xml.Finish());
}

// No bucket has object lock, which is what S3 says of an object's retention and legal hold then.
Outcome GetObjectLockOfObject(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_TRY(ObjectFor(exchange, bucket,
                   exchange.Parameter("retention") != nullptr ? "s3:GetObjectRetention" : "s3:GetObjectLegalHold"));
  return InvalidRequest("Bucket is missing Object Lock Configuration");
}

// S3 itself gives out no torrents any more.
Outcome GetObjectTorrent(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_TRY(ObjectFor(exchange, bucket, "s3:GetObjectTorrent"));
  ServiceError error{"MethodNotAllowed", "The specified method is not allowed against this resource.", 405, {}, {}};
  error.details = {{"Method", "GET"}, {"ResourceType", "TORRENT"}};
  return Refusal(std::move(error));
}

}  // namespace headrace::api::s3
