// The rows of a request, most of its text: nested lists of plain numbers, read eight digits at a time. What is not as
// it should be is left to the JSON parser, which knows special values and can say what is wrong.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "headrace/tensor.h"

namespace headrace::serving {
namespace internal {

// How many of eight characters are digits before the first that is none. Little-endian: the first is the lowest byte.
inline int LeadingDigits(uint64_t text) {
  constexpr uint64_t kZeros = 0x3030303030303030u, kBeyondNine = 0x7676767676767676u, kTops = 0x8080808080808080u;
  text ^= kZeros;  // digits are 0 to 9 now; what is added carries into bytes behind the first other one only
  const uint64_t others = (text | (text + kBeyondNine)) & kTops;
  return others == 0 ? 8 : std::countr_zero(others) / 8;
}

// Neighbours are joined: digits to pairs, pairs to fours, fours to the eight.
inline uint32_t ValueOfEight(uint64_t text) {
  text &= 0x0F0F0F0F0F0F0F0Fu;
  text = (text * 10 + (text >> 8)) & 0x00FF00FF00FF00FFu;
  text = (text * 100 + (text >> 16)) & 0x0000FFFF0000FFFFu;
  return static_cast<uint32_t>(text * 10000 + (text >> 32));
}

// Appends the digits at `at` to `value`, and leaves `at` behind them. False for more of them than 64 bits hold for
// sure. No branch depends on how many there are, but for more than 8 and 16: that would be guessed wrong once a number.
inline bool TakeDigits(const char*& at, uint64_t& value, int& digits) {
  constexpr std::array<uint64_t, 9> kTens = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
  int count = 8;
  while (count == 8) {
    uint64_t text;
    std::memcpy(&text, at, 8);
    count = LeadingDigits(text);
    if (digits + count > 19) return false;
    // The others are pushed out at the top; zeros come in front of the digits.
    text = (text << 4 * (8 - count)) << 4 * (8 - count);
    value = value * kTens[static_cast<size_t>(count)] + ValueOfEight(text);
    digits += count;
    at += count;
  }
  return true;
}

// 10^-45 to 10^45, each the nearest double.
inline constexpr std::array<double, 91> kPowers = {
    1e-45, 1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30,
    1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14,
    1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,
    1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,  1e17,  1e18,
    1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,  1e26,  1e27,  1e28,  1e29,  1e30,  1e31,  1e32,  1e33,  1e34,
    1e35,  1e36,  1e37,  1e38,  1e39,  1e40,  1e41,  1e42,  1e43,  1e44,  1e45};

// The same as TakeNumber, for any number: digit by digit.
bool TakeNumberWithCare(const char*& at, float& number);

// Takes the JSON number at `at`, as the float next to the double next to it, which is how TensorFlow Serving reads one.
// False for what is no number or beyond a double.
inline bool TakeNumber(const char*& at, float& number) {
  const char* const start = at;
  const bool minus = *at == '-';
  if (minus) ++at;
  uint64_t value = 0;
  int digits = 0, exponent = 0;
  const bool zero = *at == '0';
  bool sure = TakeDigits(at, value, digits) && digits > 0 && !(zero && digits > 1);
  if (*at == '.') {
    const char* const point = at++;
    if (zero)
      while (*at == '0') ++at;  // else they would count among the 19
    exponent = static_cast<int>(point + 1 - at);
    digits = zero ? 0 : digits;
    const int before = digits;
    sure = sure && TakeDigits(at, value, digits) && at > point + 1;
    exponent -= digits - before;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    const bool down = *at == '-';
    if (down || *at == '+') ++at;
    uint64_t power = 0;
    int places = 0;
    sure = sure && TakeDigits(at, power, places) && places > 0 && power < 1000;
    exponent += down ? -static_cast<int>(power) : static_cast<int>(power);
  }
  if (!sure || exponent < -45 || exponent > 45) return TakeNumberWithCare(at = start, number);
  // Three roundings of at most 2^-53 each (value, power, product): the true value lies between low and high.
  const double near = static_cast<double>(value) * kPowers[static_cast<size_t>(exponent + 45)];
  const auto low = static_cast<float>(near * (1 - 0x1p-51)), high = static_cast<float>(near * (1 + 0x1p-51));
  number = minus ? -low : low;
  // So close to the middle between two floats the double decides.
  return low == high || TakeNumberWithCare(at = start, number);
}

// The same for an integer that T holds.
template <typename T>
requires std::is_integral_v<T>
bool TakeNumber(const char*& at, T& number) {
  const bool minus = *at == '-';
  if (minus) ++at;
  uint64_t value = 0;
  int digits = 0;
  const bool zero = *at == '0';
  if (!TakeDigits(at, value, digits) || digits == 0 || digits > 18 || (zero && digits > 1)) return false;
  const int64_t with_sign = minus ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
  number = static_cast<T>(with_sign);
  return number == with_sign;
}

inline void SkipSpace(const char*& at) {
  while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') ++at;
}

template <typename T>
bool TakeList(const char*& at, const Shape& shape, size_t axis, T*& out) {
  if (*at++ != '[') return false;
  const bool innermost = axis + 1 == shape.rank();
  for (int64_t i = 0; i < shape[axis]; ++i) {
    if (i > 0 && *at++ != ',') return false;
    SkipSpace(at);
    if (!(innermost ? TakeNumber(at, *out++) : TakeList(at, shape, axis + 1, out))) return false;
    SkipSpace(at);
  }
  return *at++ == ']';
}

}  // namespace internal

// Reads the row at `at`, lists of shape[1:], into `out`. False, with any values there, for all else. The text must end
// in a character that no number, list or space has, with 32 bytes behind it whose values do not matter.
template <typename T>
bool TakeRow(const char* at, const Shape& shape, T* out) {
  return shape.rank() > 1 && internal::TakeList(at, shape, 1, out);
}

}  // namespace headrace::serving
