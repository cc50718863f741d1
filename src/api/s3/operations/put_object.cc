#include "api/s3/access.h"
#include "api/s3/encryption.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "api/s3/receive.h"
#include "aws/payload.h"

namespace headrace::api::s3 {
namespace {

struct Put {
  store::ObjectInfo info;
  store::Precondition wanted;
};

Refusal Unmet(const store::Precondition& wanted) {
  return PreconditionFailed(wanted.absent ? "If-None-Match" : "If-Match");
}

// Before the bytes are read, so that nobody sends gigabytes for a 412.
Reply<void> CheckEarly(const Exchange& exchange, const store::Precondition& wanted) {
  if (!wanted.absent && wanted.any_etag.empty()) return {};
  const auto object = exchange.objects.Find(exchange.bucket, exchange.key);
  if (!object && object.error().code() != ErrorCode::kNotFound) return StoreFailure(object.error());
  if (wanted.absent && object) return Unmet(wanted);
  if (!wanted.any_etag.empty() && !object) return NoSuchKey(exchange.key);
  return {};
}

Reply<void> Prepare(const Exchange& exchange, Put& put) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutObject"));
  S3_ASSIGN(put.info, ReadObjectInfo(exchange, bucket));
  S3_ASSIGN(put.wanted, ReadWritePrecondition(exchange));
  return CheckEarly(exchange, put.wanted);
}

Outcome Finish(Exchange& exchange, Put put, store::BlobWriter writer) {
  if (const auto checksum = aws::PayloadReader::Of(exchange.request).checksum()) {
    put.info.checksums[std::string(aws::ChecksumName(checksum->algorithm))] = checksum->base64;
    put.info.checksum_type = "FULL_OBJECT";
  }
  const auto object =
      exchange.objects.Commit(std::move(writer), exchange.bucket, exchange.key, std::move(put.info), put.wanted);
  if (!object && object.error().code() == ErrorCode::kFailedPrecondition) return Unmet(put.wanted);
  if (!object && object.error().code() == ErrorCode::kNotFound)
    return put.wanted.any_etag.empty() ? NoSuchBucket(exchange.bucket) : NoSuchKey(exchange.key);
  if (!object) return StoreFailure(object.error());
  http::Response response = Empty(200);
  response.headers.Set("ETag", Quoted(object->etag));
  WriteChecksums(object->info.checksums, object->info.checksum_type, response);
  WriteEncryption(object->info, response);
  return response;
}

}  // namespace

http::Task<Outcome> PutObject(Exchange& exchange) {
  aws::PayloadReader::Of(exchange.request).ComputeOneAtLeast(aws::ChecksumAlgorithm::kCrc64Nvme);
  Put put;
  co_return co_await Receive(
      exchange, Check::kBeforeKeeping, [&] { return Prepare(exchange, put); },
      [&](store::BlobWriter writer) { return Finish(exchange, std::move(put), std::move(writer)); });
}

}  // namespace headrace::api::s3
