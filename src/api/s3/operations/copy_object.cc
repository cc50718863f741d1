#include "api/s3/access.h"
#include "api/s3/copy_source.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "aws/time.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

Reply<bool> Replaces(const Exchange& exchange, const char* header) {
  const std::string directive = exchange.Header(header);
  if (!directive.empty() && directive != "COPY" && directive != "REPLACE")
    return InvalidArgument(header, directive, "Unknown directive: wanted COPY or REPLACE");
  return directive == "REPLACE";
}

// What the copy will have: of the source or of the request, as the directives say.
Reply<store::ObjectInfo> InfoOfCopy(const Exchange& exchange, const store::Object& source) {
  S3_ASSIGN(const bool new_metadata, Replaces(exchange, "x-amz-metadata-directive"));
  S3_ASSIGN(const bool new_tags, Replaces(exchange, "x-amz-tagging-directive"));
  S3_ASSIGN(store::ObjectInfo info, ReadObjectInfo(exchange));
  const bool onto_itself = source.bucket == exchange.bucket && source.key == exchange.key;
  if (onto_itself && !new_metadata && !new_tags && info.storage_class == source.info.storage_class)
    return InvalidRequest(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.");
  if (!new_metadata) {
    info.headers = source.info.headers;
    info.metadata = source.info.metadata;
  }
  if (!new_tags) info.tags = source.info.tags;
  info.checksums = source.info.checksums;
  info.checksum_type = source.info.checksum_type;
  info.part_sizes = source.info.part_sizes;
  return info;
}

}  // namespace

Outcome CopyObject(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutObject"));
  S3_ASSIGN(const store::Object source, FindCopySource(exchange));
  S3_ASSIGN(store::ObjectInfo info, InfoOfCopy(exchange, source));
  S3_ASSIGN(const store::Precondition wanted, ReadWritePrecondition(exchange));
  const auto object = exchange.objects.Copy(source, exchange.bucket, exchange.key, std::move(info), wanted);
  if (!object && object.error().code() == ErrorCode::kFailedPrecondition)
    return PreconditionFailed(wanted.absent ? "If-None-Match" : "If-Match");
  if (!object && object.error().code() == ErrorCode::kNotFound) return NoSuchKey(source.key);
  if (!object) return StoreFailure(object.error());
  aws::XmlWriter xml;
  xml.Open("CopyObjectResult", kXmlns).Element("ETag", Quoted(object->etag));
  xml.Element("LastModified", aws::Iso8601Millis(object->modified));
  for (const auto& [algorithm, value] : object->info.checksums) xml.Element("Checksum" + algorithm, value);
  if (!object->info.checksum_type.empty()) xml.Element("ChecksumType", object->info.checksum_type);
  return Xml(xml.Finish());
}

}  // namespace headrace::api::s3
