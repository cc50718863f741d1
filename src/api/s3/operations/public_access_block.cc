#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/operations.h"

namespace headrace::api::s3 {
namespace {

constexpr const char* kPublicAccessBlock = "publicAccessBlock";

}  // namespace

Outcome GetPublicAccessBlock(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetBucketPublicAccessBlock"));
  auto document = Configuration(bucket, kPublicAccessBlock, PublicAccessDocument({true, true, true, true}));
  if (document) return Xml(std::move(*document));
  ServiceError error{"NoSuchPublicAccessBlockConfiguration",
                     "The public access block configuration was not found",
                     404,
                     {{"BucketName", bucket.name}},
                     {}};
  return Refusal(std::move(error));
}

Outcome PutPublicAccessBlock(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketPublicAccessBlock"));
  S3_ASSIGN(const PublicAccess access, ReadPublicAccessDocument(exchange.body));
  return SetConfiguration(exchange, kPublicAccessBlock, PublicAccessDocument(access), 200);
}

Outcome DeletePublicAccessBlock(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutBucketPublicAccessBlock"));
  return SetConfiguration(exchange, kPublicAccessBlock, "", 204);
}

}  // namespace headrace::api::s3
