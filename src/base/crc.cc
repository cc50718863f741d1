#include "base/crc.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace headrace {
namespace {

// A checksum is the remainder of the message modulo a polynomial P over GF(2), with bits in reflected order: the lowest
// bit is the highest power. `Word` is as wide as the checksum, kPolynomial is P without its highest power, reflected.
template <typename Word, Word kPolynomial>
struct Crc {
  static constexpr size_t kWordBits = sizeof(Word) * 8;

  // kTables[k][b]: the checksum's change by byte b followed by k zero bytes.
  static constexpr auto kTables = [] {
    std::array<std::array<Word, 256>, 8> tables{};
    for (size_t byte = 0; byte < 256; ++byte) {
      Word crc = static_cast<Word>(byte);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? kPolynomial : 0);
      tables[0][byte] = crc;
    }
    for (size_t k = 1; k < 8; ++k)
      for (size_t byte = 0; byte < 256; ++byte)
        tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
    return tables;
  }();

  // Without the inversions at both ends.
  static Word Plain(Word crc, const char* bytes, size_t size) {
    if constexpr (std::endian::native == std::endian::little) {
      for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word = 0;
        std::memcpy(&word, bytes, 8);
        word ^= crc;
        crc = 0;
        for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
      }
    }
    for (; size > 0; ++bytes, --size) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(*bytes)) & 0xff];
    return crc;
  }

#if defined(__x86_64__)
  // x^n mod P, its coefficient of x^0 in bit 63.
  static constexpr uint64_t PowerOfX(uint64_t n) {
    Word value = Word{1} << (kWordBits - 1);
    for (uint64_t i = 0; i < n; ++i) value = (value >> 1) ^ ((value & 1u) != 0 ? kPolynomial : 0);
    return uint64_t{value} << (64 - kWordBits);
  }

  // A 128-bit word followed by `kBits` more bits counts as word * x^kBits: its first 8 bytes hold the higher powers. A
  // carry-less product of reflected words comes out one bit short, so the exponents are one less.
  template <uint64_t kBits>
  __attribute__((target("pclmul,sse4.1"))) static __m128i Move(__m128i word) {
    constexpr auto kFirst = static_cast<int64_t>(PowerOfX(kBits + 63)),
                   kLast = static_cast<int64_t>(PowerOfX(kBits - 1));
    const __m128i factors = _mm_set_epi64x(kLast, kFirst);
    return _mm_xor_si128(_mm_clmulepi64_si128(word, factors, 0x00), _mm_clmulepi64_si128(word, factors, 0x11));
  }

  __attribute__((target("pclmul,sse4.1"))) static __m128i Load(const char* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  }

  // Folds the message into its last 16 bytes, four words side by side, and leaves those to the tables.
  __attribute__((target("pclmul,sse4.1"))) static Word Folded(Word crc, const char* bytes, size_t size) {
    __m128i a = _mm_xor_si128(Load(bytes), _mm_set_epi64x(0, static_cast<int64_t>(uint64_t{crc})));
    __m128i b = Load(bytes + 16), c = Load(bytes + 32), d = Load(bytes + 48);
    for (bytes += 64, size -= 64; size >= 64; bytes += 64, size -= 64) {
      a = _mm_xor_si128(Move<512>(a), Load(bytes));
      b = _mm_xor_si128(Move<512>(b), Load(bytes + 16));
      c = _mm_xor_si128(Move<512>(c), Load(bytes + 32));
      d = _mm_xor_si128(Move<512>(d), Load(bytes + 48));
    }
    a = _mm_xor_si128(_mm_xor_si128(Move<384>(a), Move<256>(b)), _mm_xor_si128(Move<128>(c), d));
    for (; size >= 16; bytes += 16, size -= 16) a = _mm_xor_si128(Move<128>(a), Load(bytes));
    char last[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(last), a);
    return Plain(Plain(0, last, 16), bytes, size);
  }
#endif

  static Word Table(std::string_view bytes, Word crc) { return ~Plain(~crc, bytes.data(), bytes.size()); }

  static Word Best(std::string_view bytes, Word crc) {
#if defined(__x86_64__)
    static const bool folds = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
    if (folds && bytes.size() >= 128) return ~Folded(~crc, bytes.data(), bytes.size());
#endif
    return Table(bytes, crc);
  }
};

using Ieee = Crc<uint32_t, 0xedb88320u>;
using Castagnoli = Crc<uint32_t, 0x82f63b78u>;
using Nvme = Crc<uint64_t, 0x9a6c9329ac4bc9b5u>;

}  // namespace

uint32_t Crc32(std::string_view bytes, uint32_t crc) { return Ieee::Best(bytes, crc); }
uint32_t Crc32c(std::string_view bytes, uint32_t crc) { return Castagnoli::Best(bytes, crc); }
uint64_t Crc64Nvme(std::string_view bytes, uint64_t crc) { return Nvme::Best(bytes, crc); }
uint32_t Crc32ByTable(std::string_view bytes, uint32_t crc) { return Ieee::Table(bytes, crc); }
uint32_t Crc32cByTable(std::string_view bytes, uint32_t crc) { return Castagnoli::Table(bytes, crc); }
uint64_t Crc64NvmeByTable(std::string_view bytes, uint64_t crc) { return Nvme::Table(bytes, crc); }

}  // namespace headrace
