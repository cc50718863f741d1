#include "api/s3/operations.h"
#include "api/s3/owner.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxBuckets = 10'000;

}  // namespace

Outcome ListBuckets(Exchange& exchange) {
  S3_ASSIGN(const size_t limit, CountParameter(exchange, "max-buckets", kMaxBuckets));
  const std::string prefix = exchange.ParameterOr("prefix", "");
  const std::string after = exchange.ParameterOr("continuation-token", "");
  const std::string region = exchange.ParameterOr("bucket-region", "");
  S3_STORE(const auto buckets, exchange.objects.ListBuckets(exchange.call.caller.account_id));
  aws::XmlWriter xml;
  xml.Open("ListAllMyBucketsResult", kXmlns);
  WriteOwner(xml, "Owner", exchange.call.caller.account_id);
  xml.Open("Buckets");
  size_t written = 0;
  std::string last, next;
  for (const store::Bucket& bucket : buckets) {
    if (!bucket.name.starts_with(prefix) || bucket.name <= after) continue;
    if (!region.empty() && bucket.region != region) continue;
    if (written++ == limit) {
      next = last;
      break;
    }
    xml.Open("Bucket").Element("Name", bucket.name).Element("CreationDate", ListedTime(bucket.created));
    xml.Element("BucketRegion", bucket.region).Close();
    last = bucket.name;
  }
  xml.Close();
  if (!next.empty()) xml.Element("ContinuationToken", next);
  if (!prefix.empty()) xml.Element("Prefix", prefix);
  return Xml(xml.Finish());
}

}  // namespace headrace::api::s3
