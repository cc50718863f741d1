#include "api/s3/s3_service.h"

#include <algorithm>
#include <array>
#include <memory>

#include "api/s3/names.h"
#include "api/s3/operations.h"
#include "api/s3/url_decoding.h"
#include "aws/gateway.h"
#include "aws/header_text.h"
#include "aws/limits.h"
#include "aws/payload.h"
#include "http/blocking.h"

namespace headrace::api::s3 {
namespace {

using http::Task;

enum class Scope { kService, kBucket, kObject };
enum class Body { kNone, kDocument };

struct Row {
  Scope scope;
  std::string_view method;
  std::string_view parameter;  // the sub-resource, or what tells the operation apart; "": none
  std::string_view header;     // must be there, unless ""
  std::string_view name;
  Body body = Body::kNone;
  Outcome (*run)(Exchange&) = nullptr;
  Task<Outcome> (*stream)(Exchange&) = nullptr;
};

// The first row that fits wins.
constexpr Row kRows[] = {
    {Scope::kService, "GET", "", "", "ListBuckets", Body::kNone, ListBuckets},

    {Scope::kBucket, "GET", "location", "", "GetBucketLocation", Body::kNone, GetBucketLocation},
    {Scope::kBucket, "GET", "versioning", "", "GetBucketVersioning", Body::kNone, GetBucketVersioning},
    {Scope::kBucket, "PUT", "versioning", "", "PutBucketVersioning", Body::kDocument, PutBucketVersioning},
    {Scope::kBucket, "GET", "acl", "", "GetBucketAcl", Body::kNone, GetBucketAcl},
    {Scope::kBucket, "PUT", "acl", "", "PutBucketAcl", Body::kDocument, PutBucketAcl},
    {Scope::kBucket, "GET", "policy", "", "GetBucketPolicy", Body::kNone, GetBucketPolicy},
    {Scope::kBucket, "PUT", "policy", "", "PutBucketPolicy", Body::kDocument, PutBucketPolicy},
    {Scope::kBucket, "DELETE", "policy", "", "DeleteBucketPolicy", Body::kNone, DeleteBucketPolicy},
    {Scope::kBucket, "GET", "tagging", "", "GetBucketTagging", Body::kNone, GetBucketTagging},
    {Scope::kBucket, "PUT", "tagging", "", "PutBucketTagging", Body::kDocument, PutBucketTagging},
    {Scope::kBucket, "DELETE", "tagging", "", "DeleteBucketTagging", Body::kNone, DeleteBucketTagging},
    {Scope::kBucket, "GET", "encryption", "", "GetBucketEncryption", Body::kNone, GetBucketEncryption},
    {Scope::kBucket, "PUT", "encryption", "", "PutBucketEncryption", Body::kDocument, PutBucketEncryption},
    {Scope::kBucket, "DELETE", "encryption", "", "DeleteBucketEncryption", Body::kNone, DeleteBucketEncryption},
    {Scope::kBucket, "GET", "publicAccessBlock", "", "GetPublicAccessBlock", Body::kNone, GetPublicAccessBlock},
    {Scope::kBucket, "PUT", "publicAccessBlock", "", "PutPublicAccessBlock", Body::kDocument, PutPublicAccessBlock},
    {Scope::kBucket, "DELETE", "publicAccessBlock", "", "DeletePublicAccessBlock", Body::kNone,
     DeletePublicAccessBlock},
    {Scope::kBucket, "GET", "ownershipControls", "", "GetBucketOwnershipControls", Body::kNone,
     GetBucketOwnershipControls},
    {Scope::kBucket, "PUT", "ownershipControls", "", "PutBucketOwnershipControls", Body::kDocument,
     PutBucketOwnershipControls},
    {Scope::kBucket, "DELETE", "ownershipControls", "", "DeleteBucketOwnershipControls", Body::kNone,
     DeleteBucketOwnershipControls},
    {Scope::kBucket, "GET", "policyStatus", "", "GetBucketPolicyStatus", Body::kNone, GetBucketPolicyStatus},
    {Scope::kBucket, "GET", "requestPayment", "", "GetBucketRequestPayment", Body::kNone, GetBucketRequestPayment},
    {Scope::kBucket, "PUT", "requestPayment", "", "PutBucketRequestPayment", Body::kDocument, PutBucketRequestPayment},
    {Scope::kBucket, "GET", "abac", "", "GetBucketAbac", Body::kNone, GetBucketAbac},
    {Scope::kBucket, "GET", "lifecycle", "", "GetBucketLifecycleConfiguration", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "DELETE", "lifecycle", "", "DeleteBucketLifecycle", Body::kNone, DeleteAbsentConfiguration},
    {Scope::kBucket, "GET", "cors", "", "GetBucketCors", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "DELETE", "cors", "", "DeleteBucketCors", Body::kNone, DeleteAbsentConfiguration},
    {Scope::kBucket, "GET", "website", "", "GetBucketWebsite", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "DELETE", "website", "", "DeleteBucketWebsite", Body::kNone, DeleteAbsentConfiguration},
    {Scope::kBucket, "GET", "replication", "", "GetBucketReplication", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "DELETE", "replication", "", "DeleteBucketReplication", Body::kNone, DeleteAbsentConfiguration},
    {Scope::kBucket, "GET", "object-lock", "", "GetObjectLockConfiguration", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "GET", "metadataTable", "", "GetBucketMetadataTableConfiguration", Body::kNone,
     GetAbsentConfiguration},
    {Scope::kBucket, "GET", "metadataConfiguration", "", "GetBucketMetadataConfiguration", Body::kNone,
     GetAbsentConfiguration},
    {Scope::kBucket, "GET", "notification", "", "GetBucketNotificationConfiguration", Body::kNone,
     GetAbsentConfiguration},
    {Scope::kBucket, "PUT", "notification", "", "PutBucketNotificationConfiguration", Body::kDocument,
     PutEmptyConfiguration},
    {Scope::kBucket, "GET", "logging", "", "GetBucketLogging", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "PUT", "logging", "", "PutBucketLogging", Body::kDocument, PutEmptyConfiguration},
    {Scope::kBucket, "GET", "accelerate", "", "GetBucketAccelerateConfiguration", Body::kNone, GetAbsentConfiguration},
    {Scope::kBucket, "PUT", "accelerate", "", "PutBucketAccelerateConfiguration", Body::kDocument,
     PutEmptyConfiguration},
    {Scope::kBucket, "GET", "analytics", "", "GetBucketAnalyticsConfiguration", Body::kNone, GetAbsentListed},
    {Scope::kBucket, "DELETE", "analytics", "", "DeleteBucketAnalyticsConfiguration", Body::kNone, DeleteAbsentListed},
    {Scope::kBucket, "GET", "inventory", "", "GetBucketInventoryConfiguration", Body::kNone, GetAbsentListed},
    {Scope::kBucket, "DELETE", "inventory", "", "DeleteBucketInventoryConfiguration", Body::kNone, DeleteAbsentListed},
    {Scope::kBucket, "GET", "metrics", "", "GetBucketMetricsConfiguration", Body::kNone, GetAbsentListed},
    {Scope::kBucket, "DELETE", "metrics", "", "DeleteBucketMetricsConfiguration", Body::kNone, DeleteAbsentListed},
    {Scope::kBucket, "GET", "intelligent-tiering", "", "GetBucketIntelligentTieringConfiguration", Body::kNone,
     GetAbsentListed},
    {Scope::kBucket, "DELETE", "intelligent-tiering", "", "DeleteBucketIntelligentTieringConfiguration", Body::kNone,
     DeleteAbsentListed},
    {Scope::kBucket, "GET", "uploads", "", "ListMultipartUploads", Body::kNone, ListMultipartUploads},
    {Scope::kBucket, "GET", "versions", "", "ListObjectVersions", Body::kNone, ListObjectVersions},
    {Scope::kBucket, "GET", "list-type", "", "ListObjectsV2", Body::kNone, ListObjectsV2},
    {Scope::kBucket, "GET", "", "", "ListObjects", Body::kNone, ListObjects},
    {Scope::kBucket, "HEAD", "", "", "HeadBucket", Body::kNone, HeadBucket},
    {Scope::kBucket, "PUT", "", "", "CreateBucket", Body::kDocument, CreateBucket},
    {Scope::kBucket, "DELETE", "", "", "DeleteBucket", Body::kNone, DeleteBucket},
    {Scope::kBucket, "POST", "delete", "", "DeleteObjects", Body::kDocument, DeleteObjects},
    {Scope::kBucket, "POST", "", "", "PostObject", Body::kNone, nullptr, PostObject},

    {Scope::kObject, "GET", "uploadId", "", "ListParts", Body::kNone, ListParts},
    {Scope::kObject, "PUT", "uploadId", "x-amz-copy-source", "UploadPartCopy", Body::kNone, UploadPartCopy},
    {Scope::kObject, "PUT", "uploadId", "", "UploadPart", Body::kNone, nullptr, UploadPart},
    {Scope::kObject, "POST", "uploadId", "", "CompleteMultipartUpload", Body::kDocument, CompleteMultipartUpload},
    {Scope::kObject, "DELETE", "uploadId", "", "AbortMultipartUpload", Body::kNone, AbortMultipartUpload},
    {Scope::kObject, "POST", "uploads", "", "CreateMultipartUpload", Body::kDocument, CreateMultipartUpload},
    {Scope::kObject, "GET", "attributes", "", "GetObjectAttributes", Body::kNone, GetObjectAttributes},
    {Scope::kObject, "GET", "acl", "", "GetObjectAcl", Body::kNone, GetObjectAcl},
    {Scope::kObject, "PUT", "acl", "", "PutObjectAcl", Body::kDocument, PutObjectAcl},
    {Scope::kObject, "GET", "tagging", "", "GetObjectTagging", Body::kNone, GetObjectTagging},
    {Scope::kObject, "PUT", "tagging", "", "PutObjectTagging", Body::kDocument, PutObjectTagging},
    {Scope::kObject, "DELETE", "tagging", "", "DeleteObjectTagging", Body::kNone, DeleteObjectTagging},
    {Scope::kObject, "GET", "retention", "", "GetObjectRetention", Body::kNone, GetObjectLockOfObject},
    {Scope::kObject, "GET", "legal-hold", "", "GetObjectLegalHold", Body::kNone, GetObjectLockOfObject},
    {Scope::kObject, "GET", "torrent", "", "GetObjectTorrent", Body::kNone, GetObjectTorrent},
    {Scope::kObject, "GET", "", "", "GetObject", Body::kNone, GetObject},
    {Scope::kObject, "HEAD", "", "", "HeadObject", Body::kNone, HeadObject},
    {Scope::kObject, "DELETE", "", "", "DeleteObject", Body::kNone, DeleteObject},
    {Scope::kObject, "PUT", "", "x-amz-copy-source", "CopyObject", Body::kNone, CopyObject},
    {Scope::kObject, "PUT", "", "", "PutObject", Body::kNone, nullptr, PutObject},
};

// Sub-resources of S3 that we know by name only; a request for one must not end up as an operation on the bucket or
// object itself.
constexpr std::string_view kSubResources[] = {"abac",
                                              "accelerate",
                                              "acl",
                                              "analytics",
                                              "append",
                                              "attributes",
                                              "cors",
                                              "delete",
                                              "encryption",
                                              "intelligent-tiering",
                                              "inventory",
                                              "legal-hold",
                                              "lifecycle",
                                              "location",
                                              "logging",
                                              "metadataConfiguration",
                                              "metadataTable",
                                              "metrics",
                                              "notification",
                                              "object-lock",
                                              "ownershipControls",
                                              "policy",
                                              "policyStatus",
                                              "publicAccessBlock",
                                              "renameObject",
                                              "replication",
                                              "requestPayment",
                                              "restore",
                                              "retention",
                                              "select",
                                              "session",
                                              "tagging",
                                              "torrent",
                                              "uploads",
                                              "uploadId",
                                              "versioning",
                                              "versions",
                                              "website"};

Scope ScopeOf(const Exchange& exchange) {
  if (exchange.bucket.empty()) return Scope::kService;
  return exchange.key.empty() ? Scope::kBucket : Scope::kObject;
}

// The sub-resource that the request is about, or "".
std::string_view SubResourceOf(const Exchange& exchange) {
  for (const std::string_view name : kSubResources)
    if (exchange.Parameter(name) != nullptr) return name;
  return {};
}

Refusal MethodNotAllowed(const Exchange& exchange, Scope scope) {
  ServiceError error{"MethodNotAllowed", "The specified method is not allowed against this resource.", 405, {}, {}};
  error.details = {{"Method", exchange.request.method},
                   {"ResourceType", scope == Scope::kObject   ? "OBJECT"
                                    : scope == Scope::kBucket ? "BUCKET"
                                                              : "SERVICE"}};
  return Refusal(std::move(error));
}

Reply<const Row*> FindRow(const Exchange& exchange) {
  const Scope scope = ScopeOf(exchange);
  const std::string_view sub_resource = SubResourceOf(exchange);
  for (const Row& row : kRows) {
    if (row.scope != scope || row.method != exchange.request.method) continue;
    if (!row.parameter.empty() && exchange.Parameter(row.parameter) == nullptr) continue;
    if (row.parameter.empty() && !sub_resource.empty()) continue;
    if (!row.header.empty() && !exchange.request.headers.Has(row.header)) continue;
    // A form's policy speaks for the upload of its file and nothing else.
    if (exchange.call.form != nullptr && row.stream != PostObject) break;
    return &row;
  }
  if (!sub_resource.empty()) return NotImplemented(sub_resource);
  return MethodNotAllowed(exchange, scope);
}

// Documents are small: bodies that could be whole objects never come here.
Task<Reply<std::string>> ReadDocument(Exchange& exchange) {
  auto& payload = aws::PayloadReader::Of(exchange.request);
  auto text = co_await http::ReadAll(payload, aws::kMaxXmlBody);
  if (text) co_return std::move(*text);
  if (payload.failure()) co_return Refusal(*payload.failure());
  if (text.error().code() == ErrorCode::kResourceExhausted)
    co_return aws::Refuse("MaxMessageLengthExceeded", "Your request was too large.");
  co_return aws::Refuse("IncompleteBody", "The request body ended early.");
}

Task<Outcome> Run(Exchange& exchange) {
  const auto row = FindRow(exchange);
  if (!row) co_return Refusal(row.error());
  if (!DecodeUrlText(exchange.request.path, Plus::kIsPlus))
    co_return aws::Refuse("InvalidURI", "Couldn't parse the specified URI.");
  exchange.request.log_detail = fmt::format("s3:{}", (*row)->name);
  if (!exchange.key.empty())
    if (auto good = CheckKey(exchange.key); !good) co_return Refusal(good.error());
  if ((*row)->stream != nullptr) co_return co_await (*row)->stream(exchange);
  if ((*row)->body == Body::kDocument) {
    auto body = co_await ReadDocument(exchange);
    if (!body) co_return Refusal(body.error());
    exchange.body = std::move(*body);
  }
  auto outcome = co_await http::OnPool(exchange.pool, [&]() -> Result<Outcome> { return (*row)->run(exchange); });
  if (!outcome) co_return StoreFailure(outcome.error());
  co_return std::move(*outcome);
}

http::Response ErrorResponse(const ServiceError& error, const http::Request& request) {
  http::Response response = aws::S3ErrorResponse(error, request);
  if (error.code == "InvalidRange")
    for (const auto& [name, value] : error.details)
      if (name == "ActualObjectSize") response.headers.Set("Content-Range", "bytes */" + value);
  return response;
}

// Bytes that no field may hold (line ends of all things) leave as RFC 2047 has it, whatever put them there.
void MakeFieldsAscii(http::Response& response) {
  bool plain = true;
  for (const auto& field : response.headers.fields()) plain = plain && aws::IsHeaderText(field.value);
  if (plain) return;
  http::Headers headers;
  for (const auto& field : response.headers.fields()) headers.Add(field.name, aws::EncodeHeaderText(field.value));
  response.headers = std::move(headers);
}

Task<http::Response> Serve(const ServiceOptions& options, const aws::Call& call, http::Request& request) {
  Exchange exchange{call, request, options.objects, options.pool, {}, {}, {}, {}};
  ReadAddress(exchange, options.domains);
  Outcome outcome = co_await Run(exchange);
  if (!outcome) co_return ErrorResponse(outcome.error(), request);
  MakeFieldsAscii(*outcome);
  co_return std::move(*outcome);
}

}  // namespace

aws::RestService MakeS3Service(ServiceOptions options) {
  auto shared = std::make_shared<const ServiceOptions>(std::move(options));
  return [shared](const aws::Call& call, http::Request& request) { return Serve(*shared, call, request); };
}

}  // namespace headrace::api::s3
