#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "api/s3/owner.h"
#include "api/s3/upload.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxListed = 1000;

void WriteParts(const std::vector<store::UploadPart>& parts, aws::XmlWriter& xml) {
  for (const store::UploadPart& part : parts) {
    xml.Open("Part").Element("PartNumber", part.number).Element("LastModified", ListedTime(part.modified));
    xml.Element("ETag", Quoted(part.etag)).Element("Size", part.size);
    for (const auto& [algorithm, value] : part.checksums) xml.Element("Checksum" + algorithm, value);
    xml.Close();
  }
}

}  // namespace

Outcome ListParts(Exchange& exchange) {
  S3_ASSIGN(const store::Upload upload, UploadFor(exchange, "s3:ListMultipartUploadParts"));
  S3_ASSIGN(const store::Bucket bucket, LookUpBucket(exchange, exchange.bucket));
  S3_ASSIGN(const size_t limit, CountParameter(exchange, "max-parts", kMaxListed));
  size_t marker = 0;
  if (exchange.Parameter("part-number-marker") != nullptr) {
    S3_ASSIGN(marker, CountParameter(exchange, "part-number-marker", 10'000));
  }
  S3_STORE(auto parts, exchange.objects.ListParts(upload, static_cast<int>(marker), limit + 1));
  const bool truncated = parts.size() > limit && limit > 0;
  if (parts.size() > limit) parts.resize(limit);
  aws::XmlWriter xml(aws::Unspeakable::kReferred);
  xml.Open("ListPartsResult", kXmlns).Element("Bucket", upload.bucket).Element("Key", upload.key);
  xml.Element("UploadId", upload.id);
  WriteOwner(xml, "Initiator", upload.initiator);
  WriteOwner(xml, "Owner", bucket.owner);
  xml.Element("StorageClass", upload.info.storage_class).Element("PartNumberMarker", marker);
  if (truncated) xml.Element("NextPartNumberMarker", parts.back().number);
  xml.Element("MaxParts", limit).Element("IsTruncated", truncated);
  if (!upload.info.checksum_is_default)
    for (const auto& [algorithm, unused] : upload.info.checksums) xml.Element("ChecksumAlgorithm", algorithm);
  if (!upload.info.checksum_type.empty() && !upload.info.checksum_is_default)
    xml.Element("ChecksumType", upload.info.checksum_type);
  WriteParts(parts, xml);
  return Xml(xml.Finish());
}

}  // namespace headrace::api::s3
