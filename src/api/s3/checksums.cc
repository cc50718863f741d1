#include "api/s3/checksums.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <unistd.h>

#include "aws/digest.h"

namespace headrace::api::s3 {
namespace {

using aws::ChecksumAlgorithm;

// A CRC of the reflected kind.
struct Crc {
  uint64_t polynomial = 0;
  int bits = 0;
};

std::optional<Crc> CrcOf(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::kCrc32:
      return Crc{0xEDB88320, 32};
    case ChecksumAlgorithm::kCrc32c:
      return Crc{0x82F63B78, 32};
    case ChecksumAlgorithm::kCrc64Nvme:
      return Crc{0x9A6C9329AC4BC9B5, 64};
    case ChecksumAlgorithm::kSha1:
    case ChecksumAlgorithm::kSha256:
      break;
  }
  return std::nullopt;
}

// The product of two polynomials modulo the CRC's, all reflected: the highest bit is x^0.
uint64_t Multiply(const Crc& crc, uint64_t a, uint64_t b) {
  const uint64_t one = uint64_t{1} << (crc.bits - 1);
  uint64_t product = 0;
  for (uint64_t bit = one; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ crc.polynomial : b >> 1;
  }
  return product;
}

// x^(8·bytes) modulo the CRC's polynomial.
uint64_t PowerOfBytes(const Crc& crc, uint64_t bytes) {
  uint64_t result = uint64_t{1} << (crc.bits - 1);
  uint64_t square = uint64_t{1} << (crc.bits - 1 - 8);  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) result = Multiply(crc, result, square);
    square = Multiply(crc, square, square);
  }
  return result;
}

uint64_t FromBytes(const std::string& bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

std::string ToBytes(uint64_t value, int bits) {
  std::string bytes;
  for (int shift = bits - 8; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// The bytes of the parts' checksums; nothing unless all have one.
std::optional<std::vector<std::string>> PartChecksums(ChecksumAlgorithm algorithm,
                                                      const std::vector<store::UploadPart>& parts) {
  std::vector<std::string> checksums;
  for (const store::UploadPart& part : parts) {
    const auto found = part.checksums.find(std::string(aws::ChecksumName(algorithm)));
    if (found == part.checksums.end()) return std::nullopt;
    auto bytes = aws::DecodeBase64(found->second);
    if (!bytes) return std::nullopt;
    checksums.push_back(std::move(*bytes));
  }
  return checksums;
}

}  // namespace

std::optional<std::string> CompositeChecksum(ChecksumAlgorithm algorithm, const std::vector<store::UploadPart>& parts) {
  const auto checksums = PartChecksums(algorithm, parts);
  if (!checksums) return std::nullopt;
  aws::Checksum all(algorithm);
  for (const std::string& checksum : *checksums) all.Update(checksum);
  return fmt::format("{}-{}", aws::Base64(all.Finish()), parts.size());
}

std::optional<std::string> FullObjectChecksum(ChecksumAlgorithm algorithm,
                                              const std::vector<store::UploadPart>& parts) {
  const auto crc = CrcOf(algorithm);
  const auto checksums = PartChecksums(algorithm, parts);
  if (!crc || !checksums) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < parts.size(); ++i)
    value = Multiply(*crc, PowerOfBytes(*crc, parts[i].size), value) ^ FromBytes((*checksums)[i]);
  return aws::Base64(ToBytes(value, crc->bits));
}

Refusal UnsupportedChecksum() {
  return InvalidRequest(
      "Checksum algorithm provided is unsupported. Please try again with any of the "
      "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

Reply<std::string> ChecksumOfObject(const Exchange& exchange, const store::Object& object,
                                    aws::ChecksumAlgorithm algorithm) {
  S3_STORE(const auto file, exchange.objects.Open(object));
  aws::Checksum checksum(algorithm);
  std::string buffer(std::min<uint64_t>(object.size, uint64_t{1} << 20), '\0');
  for (uint64_t at = 0; at < object.size;) {
    const ssize_t n = ::pread(file->get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return StoreFailure(Error(ErrorCode::kDataLoss, exchange.objects.BlobPath(object) + ": cannot be read"));
    checksum.Update({buffer.data(), static_cast<size_t>(n)});
    at += static_cast<uint64_t>(n);
  }
  return aws::Base64(checksum.Finish());
}

Reply<std::optional<UploadChecksum>> ReadUploadChecksum(const Exchange& exchange) {
  const std::string name = exchange.Header("x-amz-checksum-algorithm");
  const std::string type = exchange.Header("x-amz-checksum-type");
  const std::optional<UploadChecksum> none;
  if (name.empty() && type.empty()) return none;
  const auto algorithm = aws::ChecksumByName(name);
  if (!algorithm) return UnsupportedChecksum();
  const bool crc64 = *algorithm == ChecksumAlgorithm::kCrc64Nvme;
  const bool sha = !CrcOf(*algorithm).has_value();
  const std::string chosen = !type.empty() ? type : crc64 ? "FULL_OBJECT" : "COMPOSITE";
  if ((chosen != "COMPOSITE" && chosen != "FULL_OBJECT") || (chosen == "COMPOSITE" && crc64) ||
      (chosen == "FULL_OBJECT" && sha))
    return InvalidRequest(fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.", chosen,
                                      aws::ChecksumName(*algorithm)));
  return std::optional<UploadChecksum>({*algorithm, chosen});
}

}  // namespace headrace::api::s3
