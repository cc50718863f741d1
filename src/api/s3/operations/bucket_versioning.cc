#include <pugixml.hpp>

#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {

Outcome GetBucketVersioning(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketVersioning"));
  aws::XmlWriter xml;
  xml.Open("VersioningConfiguration", kXmlns);
  if (!bucket.versioning.empty()) xml.Element("Status", bucket.versioning);
  return Xml(xml.Finish());
}

// Buckets keep one version of each object, which is what Suspended says of new objects.
Outcome PutBucketVersioning(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketVersioning"));
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  const std::string_view status = document->child("VersioningConfiguration").child_value("Status");
  if (status == "Enabled") return NotImplemented("Versioning Enabled");
  if (status != "Suspended") {
    return aws::Refuse("IllegalVersioningConfigurationException", "The Versioning element must be specified");
  }
  const auto updated =
      exchange.objects.UpdateBucket(exchange.bucket, [](store::Bucket& bucket) { bucket.versioning = "Suspended"; });
  if (!updated) return StoreFailure(updated.error());
  return Empty(200);
}

}  // namespace headrace::api::s3
