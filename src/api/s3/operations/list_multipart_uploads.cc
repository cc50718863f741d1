#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "api/s3/owner.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxListed = 1000;

}  // namespace

Outcome ListMultipartUploads(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:ListBucketMultipartUploads"));
  store::UploadQuery query;
  query.bucket = bucket.name;
  query.prefix = exchange.ParameterOr("prefix", "");
  query.delimiter = exchange.ParameterOr("delimiter", "");
  query.after_key = exchange.ParameterOr("key-marker", "");
  query.after_id = exchange.ParameterOr("upload-id-marker", "");
  S3_ASSIGN(query.limit, CountParameter(exchange, "max-uploads", kMaxListed));
  S3_ASSIGN(const bool encode, EncodesKeys(exchange));
  const auto text = [&](const std::string& plain) { return encode ? http::PercentEncode(plain, true) : plain; };
  S3_STORE(const auto listing, exchange.objects.ListUploads(query));
  aws::XmlWriter xml(aws::Unspeakable::kReferred);
  xml.Open("ListMultipartUploadsResult", kXmlns).Element("Bucket", bucket.name);
  xml.Element("KeyMarker", text(query.after_key)).Element("UploadIdMarker", query.after_id);
  if (listing.truncated)
    xml.Element("NextKeyMarker", text(listing.last_key)).Element("NextUploadIdMarker", listing.last_id);
  xml.Element("Prefix", text(query.prefix));
  if (!query.delimiter.empty()) xml.Element("Delimiter", text(query.delimiter));
  if (encode) xml.Element("EncodingType", "url");
  xml.Element("MaxUploads", query.limit).Element("IsTruncated", listing.truncated);
  for (const store::Upload& upload : listing.uploads) {
    xml.Open("Upload").Element("Key", text(upload.key)).Element("UploadId", upload.id);
    WriteOwner(xml, "Initiator", upload.initiator);
    WriteOwner(xml, "Owner", bucket.owner);
    xml.Element("StorageClass", upload.info.storage_class).Element("Initiated", ListedTime(upload.created));
    xml.Close();
  }
  for (const std::string& prefix : listing.prefixes) xml.Open("CommonPrefixes").Element("Prefix", text(prefix)).Close();
  return Xml(xml.Finish());
}

}  // namespace headrace::api::s3
