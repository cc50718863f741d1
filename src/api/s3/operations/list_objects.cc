// ListObjects, ListObjectsV2 and ListObjectVersions: one listing in three spellings.
#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "api/s3/owner.h"
#include "aws/page_token.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxKeys = 1000;
constexpr std::string_view kTokenOf = "ListObjectsV2";

class ListReply {
 public:
  ListReply(const Exchange& exchange, std::string_view root) : exchange_(exchange) {
    xml_.Open(root, kXmlns).Element("Name", exchange.bucket);
  }

  // Reads what all three have in common; `after` is where the page begins.
  Reply<void> Read(const std::string& after) {
    S3_ASSIGN(encode_, EncodesKeys(exchange_));
    S3_ASSIGN(query_.limit, CountParameter(exchange_, "max-keys", kMaxKeys));
    query_.bucket = exchange_.bucket;
    query_.prefix = exchange_.ParameterOr("prefix", "");
    query_.delimiter = exchange_.ParameterOr("delimiter", "");
    query_.after = after;
    auto listing = exchange_.objects.List(query_);
    if (!listing && listing.error().code() == ErrorCode::kNotFound) return NoSuchBucket(exchange_.bucket);
    if (!listing) return StoreFailure(listing.error());
    listing_ = std::move(*listing);
    return {};
  }

  void WriteHead() {
    Text("Prefix", query_.prefix);
    xml_.Element("MaxKeys", query_.limit);
    if (!query_.delimiter.empty()) Text("Delimiter", query_.delimiter);
    if (encode_) xml_.Element("EncodingType", "url");
    xml_.Element("IsTruncated", listing_.truncated);
  }

  void WriteObjects(std::string_view element, bool owners, bool versions) {
    for (const store::Object& object : listing_.objects) {
      xml_.Open(element);
      Text("Key", object.key);
      if (versions) xml_.Element("VersionId", "null").Element("IsLatest", true);
      xml_.Element("LastModified", ListedTime(object.modified));
      xml_.Element("ETag", Quoted(object.etag));
      for (const auto& [algorithm, value] : object.info.checksums) xml_.Element("ChecksumAlgorithm", algorithm);
      if (!object.info.checksum_type.empty()) xml_.Element("ChecksumType", object.info.checksum_type);
      xml_.Element("Size", object.size);
      if (owners) WriteOwner(xml_, "Owner", object.info.owner);
      xml_.Element("StorageClass", object.info.storage_class).Close();
    }
  }

  void WritePrefixes() {
    for (const std::string& prefix : listing_.prefixes) {
      xml_.Open("CommonPrefixes");
      Text("Prefix", prefix);
      xml_.Close();
    }
  }

  void Text(std::string_view element, const std::string& text) {
    xml_.Element(element, encode_ ? http::PercentEncode(text, true) : text);
  }

  Outcome Finish() { return Xml(xml_.Finish()); }

  aws::XmlWriter& xml() { return xml_; }
  const store::Listing& listing() const { return listing_; }
  const store::ListQuery& query() const { return query_; }

 private:
  const Exchange& exchange_;
  aws::XmlWriter xml_{aws::Unspeakable::kReferred};
  store::ListQuery query_;
  store::Listing listing_;
  bool encode_ = false;
};

}  // namespace

Outcome ListObjects(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:ListBucket"));
  const std::string marker = exchange.ParameterOr("marker", "");
  ListReply reply(exchange, "ListBucketResult");
  S3_TRY(reply.Read(marker));
  reply.Text("Marker", marker);
  reply.WriteHead();
  // Without a delimiter clients take the last key; saying it does no harm and helps those that do not.
  if (reply.listing().truncated) reply.Text("NextMarker", reply.listing().last);
  reply.WriteObjects("Contents", true, false);
  reply.WritePrefixes();
  return reply.Finish();
}

Outcome ListObjectsV2(Exchange& exchange) {
  if (*exchange.Parameter("list-type") != "2")
    return InvalidArgument("list-type", *exchange.Parameter("list-type"), "Invalid List Type specified in Request");
  S3_TRY(BucketFor(exchange, "s3:ListBucket"));
  const std::string start = exchange.ParameterOr("start-after", "");
  std::string after = start;
  const std::string* token = exchange.Parameter("continuation-token");
  if (token != nullptr) {
    const auto position = aws::ReadPageToken(kTokenOf, *token);
    if (!position) return InvalidArgument("continuation-token", *token, "The continuation token provided is incorrect");
    after = *position;
  }
  ListReply reply(exchange, "ListBucketResult");
  S3_TRY(reply.Read(after));
  reply.WriteHead();
  reply.xml().Element("KeyCount", reply.listing().objects.size() + reply.listing().prefixes.size());
  if (!start.empty()) reply.Text("StartAfter", start);
  if (token != nullptr) reply.xml().Element("ContinuationToken", *token);
  if (reply.listing().truncated)
    reply.xml().Element("NextContinuationToken", aws::MakePageToken(kTokenOf, reply.listing().last));
  reply.WriteObjects("Contents", exchange.ParameterOr("fetch-owner", "") == "true", false);
  reply.WritePrefixes();
  return reply.Finish();
}

// Buckets are not versioned: each object is its own version "null". Clean-up tools ask for it.
Outcome ListObjectVersions(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:ListBucketVersions"));
  const std::string marker = exchange.ParameterOr("key-marker", "");
  ListReply reply(exchange, "ListVersionsResult");
  S3_TRY(reply.Read(marker));
  reply.Text("KeyMarker", marker);
  reply.xml().Element("VersionIdMarker", exchange.ParameterOr("version-id-marker", ""));
  reply.WriteHead();
  if (reply.listing().truncated) {
    reply.Text("NextKeyMarker", reply.listing().last);
    reply.xml().Element("NextVersionIdMarker", "null");
  }
  reply.WriteObjects("Version", true, true);
  reply.WritePrefixes();
  return reply.Finish();
}

}  // namespace headrace::api::s3
