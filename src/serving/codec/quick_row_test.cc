#include "serving/codec/quick_row.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace headrace::serving {
namespace {

template <typename T = float>
std::optional<T> Read(const std::string& number) {
  const std::string padded = number + '\0' + std::string(40, '7');
  const char* at = padded.c_str();
  T value;
  if (!internal::TakeNumber(at, value)) return std::nullopt;
  return *at == '\0' ? std::optional(value) : std::nullopt;
}

float Careful(const std::string& number) { return static_cast<float>(std::strtod(number.c_str(), nullptr)); }

TEST(QuickRow, NumbersOfEveryForm) {
  for (const char* number : {"0", "-0", "1", "-7", "255", "0.5", "12.25", "0.000001", "1e3", "1E+3", "25e-1",
                             "-1.5e-10", "123456789012345678", "0.1", "3.4028234e20", "59.123455047607422",
                             "0.30000001192092896", "16777217", "4294967295.5"}) {
    const auto value = Read(number);
    ASSERT_TRUE(value) << number;
    EXPECT_EQ(*value, Careful(number)) << number;
    EXPECT_EQ(std::signbit(*value), std::signbit(Careful(number))) << number;
  }
}

TEST(QuickRow, LeavesOthersToTheParser) {
  for (const char* number : {"",      "-",      "+1",    "01",  "-01",      "00",   "00.5", ".5",   "1.",   "1.e5",
                             "1e",    "1e+",    "1x",    "NaN", "Infinity", "inf",  "1 2",  "0x10", "1..5", "1e5.5",
                             "1e999", "-1e999", "\"1\"", "[1",  "1]",       "true", "0.",   "-.5"})
    EXPECT_FALSE(Read(number)) << number;
}

TEST(QuickRow, NumbersThatWantCare) {
  for (const char* number : {"1.000000059604644775",
                             "1.00000005960464477539",
                             "1.0000000596046447754",
                             "16777217",
                             "16777219",
                             "12345678901234567890",
                             "0.12345678901234567890",
                             "0.000000000000000000012345678901234567",
                             "1e46",
                             "1e-46",
                             "1.4e-45",
                             "7e-46",
                             "3.4028235e38",
                             "3.4028236e38",
                             "1e300",
                             "1e-300",
                             "0.00",
                             "-0.0e5",
                             "0e99999",
                             "100000000000000000000000000000000000000000000000000000000000000000000000.5"}) {
    const auto value = Read(number);
    ASSERT_TRUE(value) << number;
    EXPECT_EQ(*value, Careful(number)) << number;
    EXPECT_EQ(std::signbit(*value), std::signbit(Careful(number))) << number;
  }
}

// Floats and doubles as Python, C and JavaScript print them.
TEST(QuickRow, AgreesWithTheNearestDouble) {
  std::mt19937_64 random(7);
  constexpr int kCount = 300000;
  for (int i = 0; i < kCount; ++i) {
    const uint64_t bits = random();
    const double scale = std::pow(10.0, static_cast<double>(bits % 12) - 8);
    double value = (static_cast<double>(random() >> 11) * 0x1p-53 - 0.5) * 2 * scale;
    if (bits & 256u) value = static_cast<double>(static_cast<float>(value));
    char text[64];
    const char* const formats[] = {"%.17g", "%.9g", "%.6f", "%.3e", "%.0f", "%.15f"};
    std::snprintf(text, sizeof text, formats[(bits >> 9) % 6], value);
    const auto quick = Read(text);
    ASSERT_TRUE(quick) << text;
    ASSERT_EQ(*quick, Careful(text)) << text;
  }
}

TEST(QuickRow, IntegersInTheirRange) {
  EXPECT_EQ(Read<uint8_t>("255"), uint8_t{255});
  EXPECT_EQ(Read<int64_t>("-123456789012345678"), -123456789012345678);
  EXPECT_EQ(Read<int32_t>("-2147483648"), INT32_MIN);
  for (const char* number : {"256", "-1", "1.0", "1e2", "01", "", "-", "1234567890123456789012"})
    EXPECT_FALSE(Read<uint8_t>(number)) << number;
  EXPECT_FALSE(Read<int32_t>("2147483648"));
}

TEST(QuickRow, NestedListsOfTheShape) {
  const Shape shape{-1, 2, 3};
  const auto take = [&](const std::string& text) {
    const std::string padded = text + '\0' + std::string(40, ']');
    std::vector<float> row(6);
    if (!TakeRow(padded.c_str(), shape, row.data())) row.clear();
    return row;
  };
  const std::vector<float> wanted = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(take("[[1,2,3],[4,5,6]]"), wanted);
  EXPECT_EQ(take("[ [1.0 , 2e0,\n3 ] ,\t[4, 5, 6 ]\r]"), wanted);
  for (const char* text : {"", "[", "[[1,2,3],[4,5,6]", "[[1,2,3],[4,5,6", "[[1,2,3],[4,5]]", "[[1,2,3],[4,5,6,7]]",
                           "[[1,2,3]]", "[[1,2,3],[4,5,6],[7,8,9]]", "[1,2,3,4,5,6]", "[[1,2,3],[4,,6]]",
                           "[[1,2,3],[4,5,NaN]]", "[[1,2,3] [4,5,6]]", "[[[1],2,3],[4,5,6]]", "7"})
    EXPECT_TRUE(take(text).empty()) << text;
}

}  // namespace
}  // namespace headrace::serving
