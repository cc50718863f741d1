#include "api/s3/access.h"
#include "api/s3/checksums.h"
#include "api/s3/copy_source.h"
#include "api/s3/encryption.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

Reply<bool> Replaces(const Exchange& exchange, const char* header) {
  const std::string directive = exchange.Header(header);
  if (!directive.empty() && directive != "COPY" && directive != "REPLACE")
    return InvalidArgument(header, directive, "Unknown directive: wanted COPY or REPLACE");
  return directive == "REPLACE";
}

// S3 copies an object onto itself only where the request names something that changes.
bool ChangesSomething(const Exchange& exchange, const store::Bucket& bucket, bool new_metadata) {
  for (const char* header : {"x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-website-redirect-location",
                             "x-amz-checksum-algorithm"})
    if (exchange.request.headers.Has(header)) return true;
  const auto encryption = bucket.configurations.find("encryption");
  return new_metadata || (encryption != bucket.configurations.end() && !encryption->second.empty());
}

bool IsRedirect(const std::pair<std::string, std::string>& field) {
  return field.first == "x-amz-website-redirect-location";
}

// What the copy will have: of the source or of the request, as the directives say.
Reply<store::ObjectInfo> InfoOfCopy(const Exchange& exchange, const store::Bucket& bucket,
                                    const store::Object& source) {
  S3_ASSIGN(const bool new_metadata, Replaces(exchange, "x-amz-metadata-directive"));
  S3_ASSIGN(const bool new_tags, Replaces(exchange, "x-amz-tagging-directive"));
  S3_ASSIGN(store::ObjectInfo info, ReadObjectInfo(exchange, bucket));
  const bool onto_itself = source.bucket == exchange.bucket && source.key == exchange.key;
  if (onto_itself && !ChangesSomething(exchange, bucket, new_metadata))
    return InvalidRequest(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.");
  if (!new_metadata) {
    // The redirect is the request's alone.
    std::erase_if(info.headers, [](const auto& field) { return !IsRedirect(field); });
    for (const auto& field : source.info.headers)
      if (!IsRedirect(field)) info.headers.push_back(field);
    info.metadata = source.info.metadata;
  }
  if (!new_tags) info.tags = source.info.tags;
  info.checksums = source.info.checksums;
  info.checksum_type = source.info.checksum_type;
  info.part_sizes = source.info.part_sizes;
  return info;
}

// The bytes are read only where the copy is to have a checksum that the source has not.
Reply<void> ChooseChecksum(const Exchange& exchange, const store::Object& source, store::ObjectInfo& info) {
  const std::string asked = exchange.Header("x-amz-checksum-algorithm");
  if (asked.empty() && !source.info.checksums.empty()) return {};
  const auto algorithm = asked.empty() ? aws::ChecksumAlgorithm::kCrc64Nvme : aws::ChecksumByName(asked);
  if (!algorithm) return UnsupportedChecksum();
  const std::string name(aws::ChecksumName(*algorithm));
  if (source.info.checksums.contains(name) && source.info.checksum_type == "FULL_OBJECT") return {};
  S3_ASSIGN(info.checksums[name], ChecksumOfObject(exchange, source, *algorithm));
  std::erase_if(info.checksums, [&](const auto& kept) { return kept.first != name; });
  info.checksum_type = "FULL_OBJECT";
  return {};
}

}  // namespace

Outcome CopyObject(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutObject"));
  S3_ASSIGN(const store::Object source, FindCopySource(exchange));
  S3_ASSIGN(store::ObjectInfo info, InfoOfCopy(exchange, bucket, source));
  S3_TRY(ChooseChecksum(exchange, source, info));
  S3_ASSIGN(const store::Precondition wanted, ReadWritePrecondition(exchange));
  const auto object = exchange.objects.Copy(source, exchange.bucket, exchange.key, std::move(info), wanted);
  if (!object && object.error().code() == ErrorCode::kFailedPrecondition)
    return PreconditionFailed(wanted.absent ? "If-None-Match" : "If-Match");
  if (!object && object.error().code() == ErrorCode::kNotFound) return NoSuchKey(source.key);
  if (!object) return StoreFailure(object.error());
  aws::XmlWriter xml;
  xml.Open("CopyObjectResult", kXmlns).Element("ETag", Quoted(object->etag));
  xml.Element("LastModified", ListedTime(object->modified));
  for (const auto& [algorithm, value] : object->info.checksums) xml.Element("Checksum" + algorithm, value);
  if (!object->info.checksum_type.empty()) xml.Element("ChecksumType", object->info.checksum_type);
  http::Response response = Xml(xml.Finish());
  WriteEncryption(object->info, response);
  return response;
}

}  // namespace headrace::api::s3
