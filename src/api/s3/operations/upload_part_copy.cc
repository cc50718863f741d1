#include <cerrno>

#include <unistd.h>

#include "api/s3/conditions.h"
#include "api/s3/copy_source.h"
#include "api/s3/encryption.h"
#include "api/s3/operations.h"
#include "api/s3/upload.h"
#include "aws/checksum.h"
#include "aws/digest.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

Reply<ByteRange> RangeOf(const Exchange& exchange, const store::Object& source) {
  const std::string header = exchange.Header("x-amz-copy-source-range");
  if (header.empty()) return ByteRange{0, source.size};
  const auto range = ReadRange(header, source.size);
  const bool whole =
      range && *range && header == fmt::format("bytes={}-{}", (*range)->first, (*range)->first + (*range)->size - 1);
  if (!whole)
    return InvalidArgument("x-amz-copy-source-range", header,
                           fmt::format("Range specified is not valid for source object of size: {}", source.size));
  return **range;
}

// Copies the range into `writer`, which hashes it, and computes the checksums that the upload wants.
Reply<std::map<std::string, std::string>> CopyRange(const Exchange& exchange, const store::Upload& upload,
                                                    const store::Object& source, ByteRange range,
                                                    store::BlobWriter& writer) {
  S3_STORE(const auto file, exchange.objects.Open(source));
  std::vector<aws::Checksum> running;
  for (const auto& [name, unused] : upload.info.checksums)
    if (const auto algorithm = aws::ChecksumByName(name)) running.emplace_back(*algorithm);
  std::string buffer(kBufferBytes, '\0');
  while (range.size > 0) {
    const ssize_t n = ::pread(file->get(), buffer.data(), std::min<uint64_t>(buffer.size(), range.size),
                              static_cast<off_t>(range.first));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return StoreFailure(Error(ErrorCode::kDataLoss, exchange.objects.BlobPath(source) + ": cannot be read"));
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    for (aws::Checksum& checksum : running) checksum.Update(piece);
    if (const Status written = writer.Write(piece); !written) return StoreFailure(written.error());
    range.first += piece.size();
    range.size -= piece.size();
  }
  std::map<std::string, std::string> checksums;
  for (aws::Checksum& checksum : running)
    checksums[std::string(aws::ChecksumName(checksum.algorithm()))] = aws::Base64(checksum.Finish());
  return checksums;
}

}  // namespace

Outcome UploadPartCopy(Exchange& exchange) {
  S3_ASSIGN(const int number, PartNumber(exchange));
  S3_ASSIGN(const store::Upload upload, UploadFor(exchange, "s3:PutObject"));
  S3_ASSIGN(const store::Object source, FindCopySource(exchange));
  S3_ASSIGN(const ByteRange range, RangeOf(exchange, source));
  S3_STORE(store::BlobWriter writer, exchange.objects.NewBlob());
  S3_ASSIGN(auto checksums, CopyRange(exchange, upload, source, range, writer));
  const auto part = exchange.objects.CommitPart(std::move(writer), upload, number, std::move(checksums));
  if (!part && part.error().code() == ErrorCode::kNotFound) return NoSuchUpload(upload.id);
  if (!part) return StoreFailure(part.error());
  aws::XmlWriter xml;
  xml.Open("CopyPartResult", kXmlns).Element("ETag", Quoted(part->etag));
  xml.Element("LastModified", ListedTime(part->modified));
  for (const auto& [algorithm, value] : part->checksums) xml.Element("Checksum" + algorithm, value);
  http::Response response = Xml(xml.Finish());
  WriteEncryption(upload.info, response);
  return response;
}

}  // namespace headrace::api::s3
