#include <optional>

#include <pugixml.hpp>

#include "api/s3/access.h"
#include "api/s3/names.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxDeletes = 1000;

struct Entry {
  std::string key, version;
  std::optional<std::string> etag;  // If-Match
  std::optional<ServiceError> error;
};

Reply<std::vector<Entry>> ReadEntries(const pugi::xml_node& root) {
  std::vector<Entry> entries;
  for (const pugi::xml_node object : root.children("Object")) {
    Entry entry{object.child_value("Key"), object.child_value("VersionId"), {}, {}};
    if (const pugi::xml_node etag = object.child("ETag")) entry.etag = Unquoted(etag.child_value());
    if (object.child("LastModifiedTime") || object.child("Size")) return NotImplemented("Conditions on time and size");
    if (entry.key.empty()) return MalformedXml();
    entries.push_back(std::move(entry));
  }
  if (entries.empty() || entries.size() > kMaxDeletes) return MalformedXml();
  return entries;
}

Reply<void> CheckEntry(const Exchange& exchange, const store::Bucket& bucket, const Entry& entry) {
  S3_TRY(CheckKey(entry.key));
  S3_TRY(Permit(exchange, bucket, entry.key, nullptr, "s3:DeleteObject"));
  if (!entry.version.empty() && entry.version != "null") return NoSuchVersion(entry.key, entry.version);
  return {};
}

// One with a condition is deleted by itself.
Reply<void> DeleteIfMatch(Exchange& exchange, const Entry& entry) {
  const auto deleted = exchange.objects.Delete(exchange.bucket, entry.key, {.any_etag = {*entry.etag}});
  if (deleted) return {};
  if (deleted.error().code() == ErrorCode::kFailedPrecondition) return PreconditionFailed("If-Match");
  if (deleted.error().code() == ErrorCode::kNotFound) return NoSuchKey(entry.key);
  return StoreFailure(deleted.error());
}

http::Response Report(const std::vector<Entry>& entries, bool quiet) {
  aws::XmlWriter xml;
  xml.Open("DeleteResult", kXmlns);
  for (const Entry& entry : entries) {
    if (!entry.error && quiet) continue;
    xml.Open(entry.error ? "Error" : "Deleted").Element("Key", entry.key);
    if (!entry.version.empty()) xml.Element("VersionId", entry.version);
    if (entry.error) xml.Element("Code", entry.error->code).Element("Message", entry.error->message);
    xml.Close();
  }
  return Xml(xml.Finish());
}

bool HasDigest(const Exchange& exchange) {
  if (exchange.request.headers.Has("Content-MD5") || exchange.request.headers.Has("x-amz-trailer")) return true;
  for (const auto& field : exchange.request.headers.fields())
    if (field.name.size() > 15 && ::strncasecmp(field.name.c_str(), "x-amz-checksum-", 15) == 0) return true;
  return false;
}

}  // namespace

Outcome DeleteObjects(Exchange& exchange) {
  if (!HasDigest(exchange))
    return InvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(const auto document, aws::ParseXml(exchange.body));
  const pugi::xml_node root = document->child("Delete");
  if (!root) return MalformedXml();
  S3_ASSIGN(auto entries, ReadEntries(root));
  std::vector<std::string> keys;
  for (Entry& entry : entries) {
    auto good = CheckEntry(exchange, bucket, entry);
    if (good && entry.etag) good = DeleteIfMatch(exchange, entry);
    if (!good) {
      entry.error = good.error();
    } else if (!entry.etag) {
      keys.push_back(entry.key);
    }
  }
  if (const auto deleted = exchange.objects.DeleteMany(bucket.name, keys); !deleted)
    return StoreFailure(deleted.error());
  return Report(entries, std::string_view(root.child_value("Quiet")) == "true");
}

}  // namespace headrace::api::s3
