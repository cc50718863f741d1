#include "aws/crc.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "aws/checksum.h"
#include "aws/digest.h"

namespace headrace::aws {
namespace {

constexpr std::string_view kCheck = "123456789";

TEST(CrcTest, KnownAnswers) {
  EXPECT_EQ(Crc32(kCheck), 0xcbf43926u);
  EXPECT_EQ(Crc32c(kCheck), 0xe3069283u);
  EXPECT_EQ(Crc64Nvme(kCheck), 0xae8b14860a799888u);
}

TEST(CrcTest, FoldingAgreesWithTables) {
  std::mt19937_64 random(7);
  std::string bytes(5000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  for (size_t size = 0; size < 700; ++size) {
    const std::string_view part(bytes.data() + size % 13, size);
    ASSERT_EQ(Crc32(part, 0x1234u), Crc32ByTable(part, 0x1234u)) << size;
    ASSERT_EQ(Crc32c(part, 0x1234u), Crc32cByTable(part, 0x1234u)) << size;
    ASSERT_EQ(Crc64Nvme(part, 0x1234u), Crc64NvmeByTable(part, 0x1234u)) << size;
  }
  EXPECT_EQ(Crc32(bytes), Crc32ByTable(bytes));
  EXPECT_EQ(Crc64Nvme(std::string_view(bytes).substr(777), Crc64Nvme(std::string_view(bytes).substr(0, 777))),
            Crc64NvmeByTable(bytes));
}

std::string Base64Of(ChecksumAlgorithm algorithm, std::string_view text) {
  Checksum checksum(algorithm);
  checksum.Update(text.substr(0, 4));
  checksum.Update(text.substr(4));
  return Base64(checksum.Finish());
}

TEST(ChecksumTest, WritesValuesAsS3Does) {
  EXPECT_EQ(Base64Of(ChecksumAlgorithm::kCrc32, kCheck), "y/Q5Jg==");
  EXPECT_EQ(Base64Of(ChecksumAlgorithm::kCrc32c, kCheck), "4waSgw==");
  EXPECT_EQ(Base64Of(ChecksumAlgorithm::kCrc64Nvme, kCheck), "rosUhgp5mIg=");
  EXPECT_EQ(Base64Of(ChecksumAlgorithm::kSha1, kCheck), "98O8HYCOBHMq32eZZczDTKeuNEE=");
  EXPECT_EQ(Base64Of(ChecksumAlgorithm::kSha256, kCheck), Base64(Sha256(kCheck)));
}

TEST(ChecksumTest, IsFoundByNameAndHeader) {
  EXPECT_EQ(ChecksumByName("crc64nvme"), ChecksumAlgorithm::kCrc64Nvme);
  EXPECT_EQ(ChecksumByHeader("X-Amz-Checksum-SHA1"), ChecksumAlgorithm::kSha1);
  EXPECT_EQ(ChecksumByHeader("x-amz-checksum-type"), std::nullopt);
  EXPECT_EQ(ChecksumElement(ChecksumAlgorithm::kCrc32c), "ChecksumCRC32C");
}

}  // namespace
}  // namespace headrace::aws
