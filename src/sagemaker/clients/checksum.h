// Checksums of objects: those that go with uploads, and the verification of downloads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

// The CRC32 and, where it is signed, the SHA-256 of bytes that are about to be sent.
struct UploadChecksums {
  std::string crc32;   // base64, as headers have it
  std::string sha256;  // hex
};
UploadChecksums ChecksumsOf(std::string_view body);
// "File" when the part cannot be read.
Outcome<UploadChecksums> ChecksumsOf(const FilePart& part, const std::string& path);

// Follows the bytes of a download.
class DownloadChecksum {
 public:
  void Restart() { crc32_ = crc32c_ = 0, crc64_ = 0; }
  void Update(std::string_view bytes);
  // "ChecksumMismatch" when S3 sent a checksum of the whole object that the bytes have not.
  Outcome<void> Verify(const HttpReply& reply, const std::string& what) const;

 private:
  uint32_t crc32_ = 0, crc32c_ = 0;
  uint64_t crc64_ = 0;
};

}  // namespace headrace::sagemaker
