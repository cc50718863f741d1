// Files to S3 and back: in one piece where they are small, in parts of which several travel at a time where they are
// not.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <fmt/format.h>
#include <pugixml.hpp>
#include <unistd.h>

#include "aws/xml.h"
#include "base/file.h"
#include "sagemaker/clients/parallel.h"
#include "sagemaker/clients/s3_request.h"
#include "sagemaker/transport/either_stop.h"
#include "sagemaker/transport/signing.h"

namespace headrace::sagemaker {
namespace {

constexpr uint64_t kSmallestPart = uint64_t{5} << 20;  // of S3, but for the last
constexpr uint64_t kMostParts = 10'000;

ServiceError FileError(const Error& error) { return LocalError(error.code(), "File", error.message()); }

uint64_t PartBytes(const TransferOptions& transfer, uint64_t total) {
  const uint64_t wanted = std::max(transfer.part_bytes, kSmallestPart);
  return std::max(wanted, (total + kMostParts - 1) / kMostParts);
}

// Counts what has arrived, from several threads.
class Meter {
 public:
  Meter(const TransferOptions& transfer, uint64_t total) : transfer_(transfer), total_(total) {}
  void Add(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    done_ += bytes;
    if (transfer_.progress) transfer_.progress(done_, total_);
  }

 private:
  const TransferOptions& transfer_;
  const uint64_t total_;
  std::mutex mutex_;
  uint64_t done_ = 0;
};

// An upload in parts, from its creation to its completion.
class PartedUpload {
 public:
  PartedUpload(Configuration& configuration, const std::string& bucket, const std::string& key,
               const CallOptions& options)
      : configuration_(configuration), bucket_(bucket), key_(key), options_(options) {}

  Outcome<void> Create() {
    ServiceRequest request = ObjectRequest("CreateMultipartUpload", "POST", bucket_, key_);
    request.query = "uploads=";
    request.headers.push_back({"x-amz-checksum-algorithm", "CRC32"});
    auto reply = Send(configuration_, request, options_);
    if (!reply.ok()) return reply.error();
    auto document = aws::ParseXml(reply->body);
    if (document) id_ = (*document)->document_element().child_value("UploadId");
    if (id_.empty())
      return LocalError(ErrorCode::kDataLoss, "InvalidReply", request.operation + ": the answer has no UploadId");
    return {};
  }

  Outcome<void> SendParts(const FilePart& file, const std::string& path, const TransferOptions& transfer,
                          Meter& meter) {
    const uint64_t size = PartBytes(transfer, file.bytes);
    parts_.resize((file.bytes + size - 1) / size);
    return DoInParallel(parts_.size(), transfer.parallel,
                        [&](size_t index, const std::stop_token& stop) -> Outcome<void> {
                          const uint64_t offset = index * size;
                          const FilePart piece{file.descriptor, offset, std::min(size, file.bytes - offset)};
                          auto sent = SendPart(piece, path, index, stop);
                          if (sent.ok()) meter.Add(piece.bytes);
                          return sent;
                        });
  }

  Outcome<void> Complete() {
    aws::XmlWriter xml;
    xml.Open("CompleteMultipartUpload", "http://s3.amazonaws.com/doc/2006-03-01/");
    for (size_t i = 0; i < parts_.size(); ++i) {
      xml.Open("Part").Element("PartNumber", i + 1).Element("ETag", parts_[i].etag);
      xml.Element("ChecksumCRC32", parts_[i].crc32).Close();
    }
    const std::string document = xml.Finish();
    ServiceRequest request = ObjectRequest("CompleteMultipartUpload", "POST", bucket_, key_);
    request.query = "uploadId=" + UriEncode(id_);
    request.headers.push_back({"Content-Type", "application/xml"});
    request.body = document;
    auto reply = Send(configuration_, request, options_);
    if (!reply.ok()) return reply.error();
    return {};
  }

  // What has arrived goes; the failure that led here counts, not one of this.
  void Abort() {
    ServiceRequest request = ObjectRequest("AbortMultipartUpload", "DELETE", bucket_, key_);
    request.query = "uploadId=" + UriEncode(id_);
    CallOptions anyway = options_;
    anyway.stop = {};
    (void)Send(configuration_, request, anyway);
  }

 private:
  struct Part {
    std::string etag, crc32;
  };

  Outcome<void> SendPart(const FilePart& piece, const std::string& path, size_t index, const std::stop_token& stop) {
    auto checksums = ChecksumsOf(piece, path);
    if (!checksums.ok()) return checksums.error();
    ServiceRequest request = ObjectRequest("UploadPart", "PUT", bucket_, key_);
    request.query = "partNumber=" + std::to_string(index + 1) + "&uploadId=" + UriEncode(id_);
    request.file = piece;
    AddChecksums(request, *checksums);
    const EitherStop either(stop, options_.stop);
    CallOptions options = options_;
    options.stop = either.token();
    auto reply = Send(configuration_, request, options);
    if (!reply.ok()) return reply.error();
    parts_[index] = {reply->Header("ETag"), checksums->crc32};
    return {};
  }

  Configuration& configuration_;
  const std::string bucket_, key_;
  const CallOptions& options_;
  std::string id_;
  std::vector<Part> parts_;
};

// Ranges of an object into a file, in any order and several at a time.
class RangedDownload {
 public:
  RangedDownload(Configuration& configuration, const std::string& bucket, S3Object object, int descriptor,
                 std::string path, const CallOptions& options)
      : configuration_(configuration),
        bucket_(bucket),
        object_(std::move(object)),
        descriptor_(descriptor),
        path_(std::move(path)),
        options_(options) {}

  Outcome<void> Fetch(const TransferOptions& transfer) const {
    Meter meter(transfer, object_.bytes);
    const uint64_t size = PartBytes(transfer, object_.bytes);
    if (object_.bytes <= size) return FetchRange({0, object_.bytes}, true, {}, meter);
    const size_t pieces = (object_.bytes + size - 1) / size;
    return DoInParallel(pieces, transfer.parallel, [&](size_t index, const std::stop_token& stop) {
      const uint64_t begin = index * size;
      return FetchRange({begin, std::min(begin + size, object_.bytes)}, false, stop, meter);
    });
  }

 private:
  struct Range {
    uint64_t begin, end;
  };

  Outcome<void> FetchRange(Range range, bool whole, const std::stop_token& stop, Meter& meter) const {
    ServiceRequest request = ObjectRequest("GetObject", "GET", bucket_, object_.key);
    // S3 has a checksum of the whole object only.
    request.headers.push_back(whole ? HttpHeader{"x-amz-checksum-mode", "ENABLED"}
                                    : HttpHeader{"Range", fmt::format("bytes={}-{}", range.begin, range.end - 1)});
    request.headers.push_back({"If-Match", "\"" + object_.etag + "\""});  // parts of one object, not of two
    uint64_t at = range.begin;
    DownloadChecksum checksum;
    request.restart_sink = [&] {
      at = range.begin;
      checksum.Restart();
    };
    request.sink = [&](std::string_view bytes) -> Outcome<void> {
      if (bytes.size() > range.end - at)
        return LocalError(ErrorCode::kDataLoss, "InvalidReply", request.operation + ": more bytes than the object has");
      if (whole) checksum.Update(bytes);
      return Write(bytes, at);
    };
    const EitherStop either(stop, options_.stop);
    CallOptions options = options_;
    options.stop = either.token();
    auto reply = Send(configuration_, request, options);
    if (!reply.ok()) return reply.error();
    if (at != range.end)
      return LocalError(
          ErrorCode::kDataLoss, "InvalidReply",
          fmt::format("{}: found {} bytes, wanted {}", request.operation, at - range.begin, range.end - range.begin));
    auto verified = whole ? checksum.Verify(*reply, request.operation) : Outcome<void>();
    if (verified.ok()) meter.Add(range.end - range.begin);
    return verified;
  }

  Outcome<void> Write(std::string_view bytes, uint64_t& at) const {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (written <= 0)
        return LocalError(ErrorCode::kResourceExhausted, "File", path_ + ": cannot write: " + std::strerror(errno));
      at += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  Configuration& configuration_;
  const std::string bucket_;
  const S3Object object_;
  const int descriptor_;
  const std::string path_;
  const CallOptions& options_;
};

}  // namespace

Outcome<void> S3Client::UploadFile(const std::string& path, const std::string& bucket, const std::string& key,
                                   const TransferOptions& transfer, const CallOptions& options) const {
  auto file = OpenRegularFile(path);
  if (!file) return FileError(file.error());
  const FilePart whole{file->descriptor.get(), 0, file->bytes};
  Meter meter(transfer, whole.bytes);
  if (whole.bytes <= PartBytes(transfer, whole.bytes)) {
    auto checksums = ChecksumsOf(whole, path);
    if (!checksums.ok()) return checksums.error();
    ServiceRequest request = ObjectRequest("PutObject", "PUT", bucket, key);
    request.file = whole;
    AddChecksums(request, *checksums);
    auto reply = Send(*configuration_, request, options);
    if (!reply.ok()) return reply.error();
    meter.Add(whole.bytes);
    return {};
  }
  PartedUpload upload(*configuration_, bucket, key, options);
  if (auto created = upload.Create(); !created.ok()) return created.error();
  auto done = upload.SendParts(whole, path, transfer, meter);
  if (done.ok()) done = upload.Complete();
  if (!done.ok()) upload.Abort();
  return done;
}

Outcome<void> S3Client::DownloadFile(const std::string& bucket, const std::string& key, const std::string& path,
                                     const TransferOptions& transfer, const CallOptions& options) const {
  auto object = HeadObject(bucket, key, options);
  if (!object.ok()) return object.error();
  auto file = AtomicFile::Create(path);
  if (!file) return FileError(file.error());
  const Descriptor writer(::open(file->temporary_path().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (writer.get() < 0 || ::ftruncate(writer.get(), static_cast<off_t>(object->bytes)) != 0)
    return LocalError(ErrorCode::kFailedPrecondition, "File", path + ": cannot write: " + std::strerror(errno));
  const RangedDownload download(*configuration_, bucket, *object, writer.get(), path, options);
  if (auto fetched = download.Fetch(transfer); !fetched.ok()) return fetched.error();
  if (auto whole = file->Commit(); !whole) return FileError(whole.error());
  return {};
}

}  // namespace headrace::sagemaker
