#include "aws/checksum.h"

#include <gtest/gtest.h>

#include "aws/digest.h"

namespace headrace::aws {
namespace {

constexpr std::string_view kCheck = "123456789";

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
