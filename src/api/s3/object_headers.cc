#include "api/s3/object_headers.h"

#include <algorithm>
#include <array>
#include <set>

#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/encryption.h"
#include "api/s3/names.h"
#include "api/s3/url_decoding.h"
#include "aws/checksum.h"
#include "aws/header_text.h"
#include "aws/time.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxMetadataBytes = 2048;
constexpr size_t kMaxObjectTags = 10;
constexpr std::string_view kRedirect = "x-amz-website-redirect-location";
constexpr std::string_view kCustomerKey = "x-amz-server-side-encryption-customer-algorithm";

constexpr std::array<std::string_view, 6> kContentHeaders = {
    "Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"};

// Promises that we would break by taking the object as if they were not there.
constexpr std::array<std::string_view, 6> kRefusedHeaders = {
    kCustomerKey,
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
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

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

// As it is kept: UTF-8, which goes out again as RFC 2047 has it where it is not ASCII. What comes in a query or a form
// may hold line ends, which no field can give back.
Reply<std::string> ReadFieldText(std::string_view name, const std::string& value) {
  if (HasControlCharacter(value))
    return InvalidArgument(name, aws::EncodeHeaderText(value), "Header value holds a control character.");
  return aws::IsUtf8(value) ? value : aws::FromLatin1(value);
}

Reply<store::Pairs> ReadMetadata(const Exchange& exchange) {
  store::Pairs metadata;
  size_t bytes = 0;
  for (const auto& field : exchange.request.headers.fields()) {
    std::string name = LowerCase(field.name);
    if (!name.starts_with("x-amz-meta-")) continue;
    name.erase(0, std::string_view("x-amz-meta-").size());
    if (!aws::IsHeaderName(name))
      return InvalidArgument("x-amz-meta-*", aws::EncodeHeaderText(name),
                             "Metadata name is no name of a header field.");
    S3_ASSIGN(std::string value, ReadFieldText(field.name, field.value));
    bytes += name.size() + value.size();
    metadata.emplace_back(std::move(name), std::move(value));
  }
  if (bytes > kMaxMetadataBytes) {
    ServiceError error{
        "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400, {}, {}};
    error.details = {{"Size", std::to_string(bytes)}, {"MaxSizeAllowed", std::to_string(kMaxMetadataBytes)}};
    return Refusal(std::move(error));
  }
  return metadata;
}

Reply<std::string> ReadRedirect(const Exchange& exchange) {
  S3_ASSIGN(std::string redirect, ReadFieldText(kRedirect, exchange.Header(kRedirect)));
  if (redirect.starts_with("/") || redirect.starts_with("http://") || redirect.starts_with("https://")) return redirect;
  return aws::Refuse("InvalidRedirectLocation",
                     "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
}

Reply<void> ReadContentHeaders(const Exchange& exchange, store::ObjectInfo& info) {
  for (const std::string_view name : kContentHeaders) {
    const std::string* value = exchange.request.headers.Find(name);
    if (value == nullptr || value->empty()) continue;
    S3_ASSIGN(std::string text, ReadFieldText(name, *value));
    info.headers.emplace_back(name, std::move(text));
  }
  if (!exchange.request.headers.Has("Content-Type")) info.headers.emplace_back("Content-Type", "binary/octet-stream");
  if (!exchange.request.headers.Has(kRedirect)) return {};
  S3_ASSIGN(std::string redirect, ReadRedirect(exchange));
  info.headers.emplace_back(kRedirect, std::move(redirect));
  return {};
}

// Every character of ISO-8859-1, but no control character: what S3 takes for a response-* parameter.
bool IsLatin1(std::string_view text) {
  if (HasControlCharacter(text)) return false;
  if (!aws::IsUtf8(text)) return true;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0xC4; });
}

}  // namespace

Reply<store::Pairs> ReadTaggingHeader(const Exchange& exchange) {
  const std::string header = exchange.Header("x-amz-tagging");
  store::Pairs tags = http::QueryParameters(header);
  std::set<std::string_view> keys;
  for (const auto& [key, value] : tags) keys.insert(key);
  if (!DecodeUrlText(header, Plus::kIsBlank) || keys.size() < tags.size())
    return InvalidArgument("x-amz-tagging", header,
                           "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
                           "without tag name duplicates.");
  S3_TRY(CheckTags(tags, kMaxObjectTags));
  return tags;
}

Reply<store::ObjectInfo> ReadObjectInfo(const Exchange& exchange, const store::Bucket& bucket) {
  for (const std::string_view refused : kRefusedHeaders)
    if (exchange.request.headers.Has(refused)) return NotImplemented(refused);
  store::ObjectInfo info;
  S3_TRY(ReadContentHeaders(exchange, info));
  S3_ASSIGN(info.metadata, ReadMetadata(exchange));
  S3_ASSIGN(info.tags, ReadTaggingHeader(exchange));
  S3_ASSIGN(info.acl, CannedAcl(exchange));
  S3_TRY(CheckAclIsPermitted(bucket, info.acl));
  S3_TRY(ReadEncryption(exchange, bucket, info));
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
    if (!value.empty()) response.headers.Set("x-amz-checksum-" + LowerCase(name), value);
  if (!checksums.empty() && !type.empty()) response.headers.Set("x-amz-checksum-type", type);
}

bool WantsChecksums(const Exchange& exchange) { return LowerCase(exchange.Header("x-amz-checksum-mode")) == "enabled"; }

Reply<void> CheckReadFields(const Exchange& exchange) {
  if (exchange.request.headers.Has(kCustomerKey))
    return InvalidRequest("The encryption parameters are not applicable to this object.");
  for (const auto& [parameter, name] : kOverrides)
    if (const std::string* value = exchange.Parameter(parameter); value != nullptr && !IsLatin1(*value))
      return InvalidArgument(parameter, *value, "Header value cannot be represented using ISO-8859-1.");
  return {};
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
  WriteEncryption(info, response);
  if (whole && WantsChecksums(exchange)) WriteChecksums(info.checksums, info.checksum_type, response);
  for (const auto& [parameter, name] : kOverrides)
    if (const std::string* value = exchange.Parameter(parameter)) headers.Set(std::string(name), *value);
}

}  // namespace headrace::api::s3
