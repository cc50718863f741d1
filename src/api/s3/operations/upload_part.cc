#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "api/s3/receive.h"
#include "api/s3/upload.h"
#include "aws/payload.h"

namespace headrace::api::s3 {
namespace {

std::map<std::string, std::string> ChecksumsOf(const Exchange& exchange, const store::Upload& upload) {
  const auto& payload = aws::PayloadReader::Of(exchange.request);
  std::map<std::string, std::string> checksums;
  if (const auto sent = payload.checksum()) checksums[std::string(aws::ChecksumName(sent->algorithm))] = sent->base64;
  for (const auto& [name, unused] : upload.info.checksums)
    if (const auto algorithm = aws::ChecksumByName(name))
      if (const auto value = payload.checksum(*algorithm)) checksums[name] = value->base64;
  return checksums;
}

Outcome Finish(Exchange& exchange, const store::Upload& upload, int number, store::BlobWriter writer) {
  const auto part = exchange.objects.CommitPart(std::move(writer), upload, number, ChecksumsOf(exchange, upload));
  if (!part && part.error().code() == ErrorCode::kNotFound) return NoSuchUpload(upload.id);
  if (!part) return StoreFailure(part.error());
  http::Response response = Empty(200);
  response.headers.Set("ETag", Quoted(part->etag));
  WriteChecksums(part->checksums, "", response);
  return response;
}

// The reader computes what the upload asked for, also where the part comes without it.
Reply<void> Prepare(Exchange& exchange, store::Upload& upload, int& number) {
  S3_ASSIGN(number, PartNumber(exchange));
  S3_ASSIGN(upload, UploadFor(exchange, "s3:PutObject"));
  for (const auto& [name, unused] : upload.info.checksums)
    if (const auto algorithm = aws::ChecksumByName(name)) aws::PayloadReader::Of(exchange.request).Compute(*algorithm);
  return {};
}

}  // namespace

http::Task<Outcome> UploadPart(Exchange& exchange) {
  store::Upload upload;
  int number = 0;
  co_return co_await Receive(
      exchange, Check::kBeforeBytes, [&] { return Prepare(exchange, upload, number); },
      [&](store::BlobWriter writer) { return Finish(exchange, upload, number, std::move(writer)); });
}

}  // namespace headrace::api::s3
