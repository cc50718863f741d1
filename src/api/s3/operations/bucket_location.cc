#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {

Outcome GetBucketLocation(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketLocation"));
  // The element itself carries the text; us-east-1 is written as nothing, for history's sake.
  const std::string region = bucket.region == "us-east-1" ? "" : aws::XmlEscape(bucket.region);
  return Xml(
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"{}\">{}"
                  "</LocationConstraint>",
                  kXmlns, region));
}

}  // namespace headrace::api::s3
