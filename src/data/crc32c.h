// CRC32C (Castagnoli): the implementations behind headrace::data::Crc32c, for tests and benchmarks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace headrace::data {

// Continues `crc`, the finished checksum of what came before (0 at the start).
using Crc32cFn = uint32_t (*)(uint32_t crc, const uint8_t* bytes, size_t size);

struct Crc32cImplementation {
  const char* name;  // "table", "sse4.2", "vpclmulqdq"
  Crc32cFn run;
};

// Those that this processor can run, fastest last; never empty.
std::span<const Crc32cImplementation> Crc32cImplementations();

uint32_t Crc32cTable(uint32_t crc, const uint8_t* bytes, size_t size);
#if defined(__x86_64__)
uint32_t Crc32cSse42(uint32_t crc, const uint8_t* bytes, size_t size);
uint32_t Crc32cVpclmulqdq(uint32_t crc, const uint8_t* bytes, size_t size);
#endif

// x^n mod P as a reflected word: bit 31 is the coefficient of x^0. The constants of folding follow from it.
constexpr uint32_t kCrc32cPolynomial = 0x82f63b78u;
constexpr uint32_t PowerOfX(uint64_t n) {
  uint32_t value = 0x80000000u;
  for (uint64_t i = 0; i < n; ++i) value = (value >> 1) ^ ((value & 1u) != 0 ? kCrc32cPolynomial : 0u);
  return value;
}

}  // namespace headrace::data
