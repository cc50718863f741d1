#include "data/crc32c.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "headrace/data.h"

namespace headrace::data {
namespace {

uint32_t BitByBit(uint32_t crc, const uint8_t* bytes, size_t size) {
  crc = ~crc;
  for (size_t i = 0; i < size; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

std::vector<uint8_t> RandomBytes(size_t size) {
  Random random(size);
  std::vector<uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<uint8_t>(random.Next());
  return bytes;
}

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(MaskCrc(Crc32c("123456789")), 0xc78ab0e5u);
  EXPECT_EQ(MaskCrc(Crc32c(std::string(8, '\0'))), 0x07980329u);
  EXPECT_EQ(MaskCrc(Crc32c("")), 0xa282ead8u);
  EXPECT_EQ(UnmaskCrc(MaskCrc(0x12345678u)), 0x12345678u);
}

TEST(Crc32c, EveryImplementationAgreesWithTheDefinition) {
  const auto bytes = RandomBytes(10000);
  for (const auto& implementation : Crc32cImplementations()) {
    for (size_t size :
         {0, 1, 7, 8, 9, 63, 64, 255, 256, 257, 319, 320, 383, 384, 385, 511, 512, 1000, 3072, 3110, 9983})
      for (size_t start : {0, 1, 13})
        EXPECT_EQ(implementation.run(0, &bytes[start], size), BitByBit(0, &bytes[start], size))
            << implementation.name << " size " << size << " start " << start;
    for (size_t size = 0; size < 700; ++size)
      EXPECT_EQ(implementation.run(0x9badf00du, &bytes[3], size), BitByBit(0x9badf00du, &bytes[3], size))
          << implementation.name << " continued, size " << size;
  }
}

TEST(Crc32c, Continues) {
  const std::string text(5000, 'x');
  EXPECT_EQ(Crc32c(text.substr(1234), Crc32c(text.substr(0, 1234))), Crc32c(text));
}

}  // namespace
}  // namespace headrace::data
