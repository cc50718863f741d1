#include "sagemaker/clients/checksum.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <unistd.h>

#include "aws/digest.h"
#include "base/crc.h"

namespace headrace::sagemaker {
namespace {

constexpr size_t kChunk = size_t{256} << 10;

template <typename Number>
std::string BigEndianBase64(Number value) {
  std::string bytes;
  for (int shift = 8 * (static_cast<int>(sizeof(Number)) - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift & 0xff);
  return aws::Base64(bytes);
}

}  // namespace

UploadChecksums ChecksumsOf(std::string_view body) {
  return {BigEndianBase64(Crc32(body)), aws::Hex(aws::Sha256(body))};
}

Outcome<UploadChecksums> ChecksumsOf(const FilePart& part, const std::string& path) {
  aws::Hash sha(aws::Hash::Kind::kSha256);
  uint32_t crc = 0;
  std::vector<char> chunk(kChunk);
  for (uint64_t done = 0; done < part.bytes;) {
    const size_t wanted = std::min<uint64_t>(chunk.size(), part.bytes - done);
    const ssize_t size = ::pread(part.descriptor, chunk.data(), wanted, static_cast<off_t>(part.offset + done));
    if (size <= 0)
      return LocalError(ErrorCode::kDataLoss, "File",
                        path + ": " + (size == 0 ? "the file became shorter while it was read" : std::strerror(errno)));
    const std::string_view bytes(chunk.data(), static_cast<size_t>(size));
    sha.Update(bytes);
    crc = Crc32(bytes, crc);
    done += bytes.size();
  }
  return UploadChecksums{BigEndianBase64(crc), aws::Hex(sha.Finish())};
}

void DownloadChecksum::Update(std::string_view bytes) {
  crc32_ = Crc32(bytes, crc32_);
  crc32c_ = Crc32c(bytes, crc32c_);
  crc64_ = Crc64Nvme(bytes, crc64_);
}

Outcome<void> DownloadChecksum::Verify(const HttpReply& reply, const std::string& what) const {
  const std::pair<const char*, std::string> known[] = {{"x-amz-checksum-crc32", BigEndianBase64(crc32_)},
                                                       {"x-amz-checksum-crc32c", BigEndianBase64(crc32c_)},
                                                       {"x-amz-checksum-crc64nvme", BigEndianBase64(crc64_)}};
  for (const auto& [header, found] : known) {
    const std::string wanted = reply.Header(header);
    const bool of_parts = wanted.find('-') != std::string::npos;  // "BASE64-3" is a checksum of checksums
    if (!wanted.empty() && !of_parts && wanted != found)
      return LocalError(ErrorCode::kDataLoss, "ChecksumMismatch",
                        what + ": found " + header + " " + found + ", wanted " + wanted, true);
  }
  return {};
}

}  // namespace headrace::sagemaker
