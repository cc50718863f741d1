#include "data/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "headrace/data.h"

namespace headrace::data {
namespace {

// kTables[k][b]: the checksum's change by byte b followed by k zero bytes ("slicing by 8").
constexpr auto kTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? kCrc32cPolynomial : 0u);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}();

std::span<const Crc32cImplementation> Detect() {
  static const Crc32cImplementation all[] = {
    {"table", Crc32cTable},
#if defined(__x86_64__)
    {"sse4.2", Crc32cSse42},
    {"vpclmulqdq", Crc32cVpclmulqdq},
#endif
  };
  size_t count = 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) {
    ++count;
    if (__builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512vl")) ++count;
  }
#endif
  return {all, count};
}

}  // namespace

uint32_t Crc32cTable(uint32_t crc, const uint8_t* bytes, size_t size) {
  crc = ~crc;
  if constexpr (std::endian::native == std::endian::little) {
    for (; size >= 8; bytes += 8, size -= 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes, 8);
      word ^= crc;
      crc = 0;
      for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
    }
  }
  for (; size > 0; ++bytes, --size) crc = (crc >> 8) ^ kTables[0][(crc ^ *bytes) & 0xff];
  return ~crc;
}

std::span<const Crc32cImplementation> Crc32cImplementations() {
  static const auto implementations = Detect();
  return implementations;
}

uint32_t Crc32c(std::string_view bytes, uint32_t crc) {
  static const Crc32cFn best = Crc32cImplementations().back().run;
  return best(crc, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace headrace::data
