#include "api/s3/object_headers.h"

#include <algorithm>
#include <array>

#include "api/s3/access.h"
#include "api/s3/names.h"
#include "aws/checksum.h"
#include "aws/time.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxMetadataBytes = 2048;
constexpr size_t kMaxObjectTags = 10;

constexpr std::array<std::string_view, 6> kContentHeaders = {
    "Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"};

// Promises that we would break by taking the object as if they were not there.
// x-amz-server-side-encryption is let through and never echoed: SageMaker's SDK v2 asks for aws:kms on every upload.
// Objects lie as they are in the data directory; who wants them encrypted encrypts the disk (docs/api-coverage.md).
constexpr std::array<std::string_view, 7> kRefusedHeaders = {
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes"};

constexpr std::array<std::string_view, 9> kStorageClasses = {
    "STANDARD",   "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",  "INTELLIGENT_TIERING",
    "GLACIER_IR", "EXPRESS_ONEZONE",    "GLACIER",     "DEEP_ARCHIVE"};

// What a GET may override, and by which parameter.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOverrides = {{
    {"response-content-type", "Content-Type"},
    {"response-cache-control", "Cache-Control"},
    {"response-content-disposition", "Content-Disposition"},
    {"response-content-encoding", "Content-Encoding"},
    {"response-content-language", "Content-Language"},
    {"response-expires", "Expires"},
}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

Reply<store::Pairs> ReadMetadata(const Exchange& exchange) {
  store::Pairs metadata;
  size_t bytes = 0;
  for (const auto& field : exchange.request.headers.fields()) {
    std::string name = Lower(field.name);
    if (!name.starts_with("x-amz-meta-")) continue;
    name.erase(0, std::string_view("x-amz-meta-").size());
    bytes += name.size() + field.value.size();
    metadata.emplace_back(std::move(name), field.value);
  }
  if (bytes > kMaxMetadataBytes) {
    ServiceError error{
        "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400, {}, {}};
    error.details = {{"Size", std::to_string(bytes)}, {"MaxSizeAllowed", std::to_string(kMaxMetadataBytes)}};
    return Refusal(std::move(error));
  }
  return metadata;
}

}  // namespace

Reply<store::Pairs> ReadTaggingHeader(const Exchange& exchange) {
  const std::string header = exchange.Header("x-amz-tagging");
  store::Pairs tags = http::QueryParameters(header);
  S3_TRY(CheckTags(tags, kMaxObjectTags));
  return tags;
}

Reply<store::ObjectInfo> ReadObjectInfo(const Exchange& exchange) {
  for (const std::string_view refused : kRefusedHeaders)
    if (exchange.request.headers.Has(refused)) return NotImplemented(refused);
  store::ObjectInfo info;
  for (const std::string_view name : kContentHeaders)
    if (const std::string* value = exchange.request.headers.Find(name); value != nullptr && !value->empty())
      info.headers.emplace_back(name, *value);
  if (!exchange.request.headers.Has("Content-Type")) info.headers.emplace_back("Content-Type", "binary/octet-stream");
  S3_ASSIGN(info.metadata, ReadMetadata(exchange));
  S3_ASSIGN(info.tags, ReadTaggingHeader(exchange));
  S3_ASSIGN(info.acl, CannedAcl(exchange));
  info.owner = exchange.call.caller.account_id;
  if (const std::string storage = exchange.Header("x-amz-storage-class"); !storage.empty()) {
    if (std::find(kStorageClasses.begin(), kStorageClasses.end(), storage) == kStorageClasses.end())
      return aws::Refuse("InvalidStorageClass", "The storage class you specified is not valid");
    info.storage_class = storage;
  }
  return info;
}

Reply<store::Precondition> ReadWritePrecondition(const Exchange& exchange) {
  store::Precondition wanted;
  if (const std::string* none = exchange.request.headers.Find("If-None-Match")) {
    if (*none != "*") return NotImplemented("If-None-Match other than *");
    wanted.absent = true;
  }
  if (const std::string* match = exchange.request.headers.Find("If-Match")) wanted.any_etag.push_back(Unquoted(*match));
  return wanted;
}

void WriteChecksums(const std::map<std::string, std::string>& checksums, const std::string& type,
                    http::Response& response) {
  for (const auto& [name, value] : checksums)
    if (!value.empty()) response.headers.Set("x-amz-checksum-" + Lower(name), value);
  if (!checksums.empty() && !type.empty()) response.headers.Set("x-amz-checksum-type", type);
}

void WriteObjectInfo(const Exchange& exchange, const store::Object& object, bool whole, http::Response& response) {
  auto& headers = response.headers;
  const store::ObjectInfo& info = object.info;
  headers.Set("ETag", Quoted(object.etag));
  headers.Set("Last-Modified", aws::HttpDate(object.modified));
  headers.Set("Accept-Ranges", "bytes");
  for (const auto& [name, value] : info.headers) headers.Set(name, value);
  for (const auto& [name, value] : info.metadata) headers.Add("x-amz-meta-" + name, value);
  if (!info.tags.empty()) headers.Set("x-amz-tagging-count", std::to_string(info.tags.size()));
  if (info.storage_class != "STANDARD") headers.Set("x-amz-storage-class", info.storage_class);
  if (whole && Lower(exchange.Header("x-amz-checksum-mode")) == "enabled")
    WriteChecksums(info.checksums, info.checksum_type, response);
  for (const auto& [parameter, name] : kOverrides)
    if (const std::string* value = exchange.Parameter(parameter)) headers.Set(std::string(name), *value);
}

}  // namespace headrace::api::s3
