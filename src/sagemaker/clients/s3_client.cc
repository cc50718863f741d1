// S3's operations on one object or bucket; files are s3_transfer.cc.
#include <charconv>

#include <pugixml.hpp>

#include "aws/xml.h"
#include "sagemaker/clients/s3_request.h"
#include "sagemaker/transport/signing.h"

namespace headrace::sagemaker {
namespace {

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Unquoted(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

// One page of a listing; what follows it is behind the token.
Outcome<std::string> ReadListing(const std::string& body, std::vector<S3Object>& objects) {
  auto document = aws::ParseXml(body);
  if (!document) return LocalError(ErrorCode::kDataLoss, "InvalidReply", "ListObjectsV2: the answer is not XML");
  const pugi::xml_node root = (*document)->document_element();
  for (const pugi::xml_node& entry : root.children("Contents"))
    objects.push_back({UriDecode(entry.child_value("Key")), Unquoted(entry.child_value("ETag")),
                       NumberOf(entry.child_value("Size"))});
  return std::string(root.child_value("IsTruncated")) == "true" ? std::string(root.child_value("NextContinuationToken"))
                                                                : "";
}

}  // namespace

const Service& S3() { return *FindService("s3"); }

ServiceRequest ObjectRequest(const std::string& operation, const std::string& method, const std::string& bucket,
                             const std::string& key) {
  return {.service = S3(),
          .operation = operation + " s3://" + bucket + (key.empty() ? "" : "/" + key),
          .method = method,
          .bucket = bucket,
          .path = "/" + UriEncode(key, true)};
}

void AddChecksums(ServiceRequest& request, const UploadChecksums& checksums) {
  request.headers.push_back({"x-amz-sdk-checksum-algorithm", "CRC32"});
  request.headers.push_back({"x-amz-checksum-crc32", checksums.crc32});
  request.payload_hash = checksums.sha256;
}

std::string EtagOf(const HttpReply& reply) { return Unquoted(reply.Header("ETag")); }

S3Client::S3Client(const ClientOptions& options) : S3Client(Configuration::Make(options)) {}
S3Client::S3Client(std::shared_ptr<Configuration> configuration) : configuration_(std::move(configuration)) {}

Outcome<void> S3Client::CreateBucket(const std::string& bucket, const CallOptions& options) const {
  auto region = configuration_->region();
  if (!region.ok()) return region.error();
  ServiceRequest request = ObjectRequest("CreateBucket", "PUT", bucket, "");
  std::string document;
  if (*region != "us-east-1") {  // which has no name of its own
    aws::XmlWriter xml;
    xml.Open("CreateBucketConfiguration", "http://s3.amazonaws.com/doc/2006-03-01/")
        .Element("LocationConstraint", *region);
    document = xml.Finish();
    request.headers.push_back({"Content-Type", "application/xml"});
  }
  request.body = document;
  auto reply = Send(*configuration_, request, options);
  return reply.ok() ? Outcome<void>() : reply.error();
}

Outcome<void> S3Client::HeadBucket(const std::string& bucket, const std::string& owner,
                                   const CallOptions& options) const {
  ServiceRequest request = ObjectRequest("HeadBucket", "HEAD", bucket, "");
  if (!owner.empty()) request.headers.push_back({"x-amz-expected-bucket-owner", owner});
  auto reply = Send(*configuration_, request, options);
  return reply.ok() ? Outcome<void>() : reply.error();
}

Outcome<S3Object> S3Client::HeadObject(const std::string& bucket, const std::string& key,
                                       const CallOptions& options) const {
  auto reply = Send(*configuration_, ObjectRequest("HeadObject", "HEAD", bucket, key), options);
  if (!reply.ok()) return reply.error();
  return S3Object{key, EtagOf(*reply), NumberOf(reply->Header("Content-Length"))};
}

Outcome<void> S3Client::PutObject(const PutObjectRequest& put, const CallOptions& options) const {
  ServiceRequest request = ObjectRequest("PutObject", "PUT", put.bucket, put.key);
  request.body = put.body;
  if (!put.content_type.empty()) request.headers.push_back({"Content-Type", put.content_type});
  AddChecksums(request, ChecksumsOf(put.body));
  auto reply = Send(*configuration_, request, options);
  return reply.ok() ? Outcome<void>() : reply.error();
}

Outcome<std::string> S3Client::GetObject(const GetObjectRequest& get, const CallOptions& options) const {
  ServiceRequest request = ObjectRequest("GetObject", "GET", get.bucket, get.key);
  request.headers.push_back({"x-amz-checksum-mode", "ENABLED"});
  request.max_reply_bytes = get.max_bytes;
  auto reply = Send(*configuration_, request, options);
  if (!reply.ok()) return reply.error();
  DownloadChecksum checksum;
  checksum.Update(reply->body);
  if (auto verified = checksum.Verify(*reply, request.operation); !verified.ok()) return verified.error();
  return std::move(reply->body);
}

Outcome<std::vector<S3Object>> S3Client::ListObjects(const std::string& bucket, const std::string& prefix,
                                                     const CallOptions& options) const {
  std::vector<S3Object> objects;
  std::string token;
  do {
    ServiceRequest request = ObjectRequest("ListObjectsV2", "GET", bucket, "");
    request.query = (token.empty() ? "" : "continuation-token=" + UriEncode(token) + "&") +
                    "encoding-type=url&list-type=2&prefix=" + UriEncode(prefix);
    auto reply = Send(*configuration_, request, options);
    if (!reply.ok()) return reply.error();
    auto next = ReadListing(reply->body, objects);
    if (!next.ok()) return next.error();
    token = *next;
  } while (!token.empty());
  return objects;
}

}  // namespace headrace::sagemaker
