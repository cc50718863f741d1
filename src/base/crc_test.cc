#include "base/crc.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace headrace {
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

}  // namespace
}  // namespace headrace
