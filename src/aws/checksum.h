// The checksums of S3's x-amz-checksum-* fields, computed piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::aws {

enum class ChecksumAlgorithm { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256 };

// "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", as in x-amz-checksum-algorithm.
std::string_view ChecksumName(ChecksumAlgorithm algorithm);
// "x-amz-checksum-crc32"; also the element of XML replies without its "x-amz-": see ChecksumElement.
std::string_view ChecksumHeader(ChecksumAlgorithm algorithm);
// "ChecksumCRC32"
std::string_view ChecksumElement(ChecksumAlgorithm algorithm);
std::optional<ChecksumAlgorithm> ChecksumByName(std::string_view name);      // any case
std::optional<ChecksumAlgorithm> ChecksumByHeader(std::string_view header);  // any case
size_t ChecksumBytes(ChecksumAlgorithm algorithm);                           // 4, 4, 8, 20, 32

struct ChecksumValue {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::kCrc32;
  std::string base64;  // of the big-endian value, as S3 writes it
  bool operator==(const ChecksumValue&) const = default;
};

class Checksum {
 public:
  explicit Checksum(ChecksumAlgorithm algorithm);
  Checksum(Checksum&&) noexcept;
  ~Checksum();
  void Update(std::string_view bytes);
  std::string Finish();  // the value's bytes, big endian; once
  ChecksumAlgorithm algorithm() const { return algorithm_; }

 private:
  ChecksumAlgorithm algorithm_;
  uint64_t crc_ = 0;
  std::unique_ptr<class Hash> hash_;
};

}  // namespace headrace::aws
