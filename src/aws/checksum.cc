#include "aws/checksum.h"

#include <array>

#include <strings.h>

#include "aws/digest.h"
#include "base/crc.h"

namespace headrace::aws {
namespace {

struct Names {
  ChecksumAlgorithm algorithm;
  std::string_view name, header, element;
  size_t bytes;
};

constexpr std::array<Names, 5> kAll = {{
    {ChecksumAlgorithm::kCrc32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    {ChecksumAlgorithm::kCrc32c, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    {ChecksumAlgorithm::kCrc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    {ChecksumAlgorithm::kSha1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    {ChecksumAlgorithm::kSha256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
}};

const Names& NamesOf(ChecksumAlgorithm algorithm) { return kAll[static_cast<size_t>(algorithm)]; }

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string BigEndian(uint64_t value, size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = bytes; i-- > 0; value >>= 8) text[i] = static_cast<char>(value & 0xff);
  return text;
}

}  // namespace

std::string_view ChecksumName(ChecksumAlgorithm algorithm) { return NamesOf(algorithm).name; }
std::string_view ChecksumHeader(ChecksumAlgorithm algorithm) { return NamesOf(algorithm).header; }
std::string_view ChecksumElement(ChecksumAlgorithm algorithm) { return NamesOf(algorithm).element; }
size_t ChecksumBytes(ChecksumAlgorithm algorithm) { return NamesOf(algorithm).bytes; }

std::optional<ChecksumAlgorithm> ChecksumByName(std::string_view name) {
  for (const Names& names : kAll)
    if (SameName(names.name, name)) return names.algorithm;
  return std::nullopt;
}

std::optional<ChecksumAlgorithm> ChecksumByHeader(std::string_view header) {
  for (const Names& names : kAll)
    if (SameName(names.header, header)) return names.algorithm;
  return std::nullopt;
}

Checksum::Checksum(ChecksumAlgorithm algorithm) : algorithm_(algorithm) {
  if (algorithm == ChecksumAlgorithm::kSha1) hash_ = std::make_unique<Hash>(Hash::Kind::kSha1);
  if (algorithm == ChecksumAlgorithm::kSha256) hash_ = std::make_unique<Hash>(Hash::Kind::kSha256);
}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::Update(std::string_view bytes) {
  switch (algorithm_) {
    case ChecksumAlgorithm::kCrc32:
      crc_ = Crc32(bytes, static_cast<uint32_t>(crc_));
      break;
    case ChecksumAlgorithm::kCrc32c:
      crc_ = Crc32c(bytes, static_cast<uint32_t>(crc_));
      break;
    case ChecksumAlgorithm::kCrc64Nvme:
      crc_ = Crc64Nvme(bytes, crc_);
      break;
    case ChecksumAlgorithm::kSha1:
    case ChecksumAlgorithm::kSha256:
      hash_->Update(bytes);
      break;
  }
}

std::string Checksum::Finish() { return hash_ ? hash_->Finish() : BigEndian(crc_, ChecksumBytes(algorithm_)); }

}  // namespace headrace::aws
