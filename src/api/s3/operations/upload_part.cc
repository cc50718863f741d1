#include "api/s3/encryption.h"
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
  if (const auto algorithm = payload.announced_checksum())
    if (const auto sent = payload.checksum(*algorithm))
      checksums[std::string(aws::ChecksumName(sent->algorithm))] = sent->base64;
  for (const auto& [name, unused] : upload.info.checksums)
    if (const auto algorithm = aws::ChecksumByName(name))
      if (const auto value = payload.checksum(*algorithm)) checksums[name] = value->base64;
  return checksums;
}

Refusal OtherChecksum(aws::ChecksumAlgorithm wanted, aws::ChecksumAlgorithm sent) {
  return InvalidRequest(
      fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                  LowerCase(aws::ChecksumName(wanted)), LowerCase(aws::ChecksumName(sent))));
}

Outcome Finish(Exchange& exchange, const store::Upload& upload, int number, store::BlobWriter writer) {
  const auto part = exchange.objects.CommitPart(std::move(writer), upload, number, ChecksumsOf(exchange, upload));
  if (!part && part.error().code() == ErrorCode::kNotFound) return NoSuchUpload(upload.id);
  if (!part) return StoreFailure(part.error());
  http::Response response = Empty(200);
  response.headers.Set("ETag", Quoted(part->etag));
  WriteChecksums(part->checksums, "", response);
  WriteEncryption(upload.info, response);
  return response;
}

// The reader computes what the upload asked for, also where the part comes without it.
Reply<void> Prepare(Exchange& exchange, store::Upload& upload, int& number) {
  S3_ASSIGN(number, PartNumber(exchange));
  S3_ASSIGN(upload, UploadFor(exchange, "s3:PutObject"));
  auto& payload = aws::PayloadReader::Of(exchange.request);
  const auto sent = payload.announced_checksum();
  for (const auto& [name, unused] : upload.info.checksums) {
    const auto algorithm = aws::ChecksumByName(name);
    if (!algorithm) continue;
    if (sent && sent != algorithm && !upload.info.checksum_is_default) return OtherChecksum(*algorithm, *sent);
    payload.Compute(*algorithm);
  }
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
