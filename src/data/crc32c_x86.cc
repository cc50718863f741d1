// CRC32C with the processor's help. A checksum is a remainder modulo P over GF(2), so that parts can be worked on
// side by side and put together: a part followed by n more bits counts as part * x^n mod P.
//
// All words are reflected (bit 0 is the highest power). A carry-less product of two reflected words comes out one bit
// short, and crc32 of a 64-bit word multiplies by x^32; the exponents below account for both.
#if defined(__x86_64__)

#include <cstring>

#include <immintrin.h>

#include "data/crc32c.h"

namespace headrace::data {
namespace {

#define HEADRACE_SSE42 __attribute__((target("sse4.2,pclmul")))
#define HEADRACE_AVX512 __attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq")))

inline uint64_t Load64(const uint8_t* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, 8);
  return word;
}

HEADRACE_SSE42 inline uint64_t Tail(uint64_t crc, const uint8_t* bytes, size_t size) {
  for (; size >= 8; bytes += 8, size -= 8) crc = _mm_crc32_u64(crc, Load64(bytes));
  for (; size > 0; ++bytes, --size) crc = _mm_crc32_u8(static_cast<uint32_t>(crc), *bytes);
  return crc;
}

// The constant by which a 32-bit checksum is multiplied so that crc32(0, product) moves it by `bits` bits.
constexpr uint64_t MoveBy(uint64_t bits) { return PowerOfX(bits - 33); }

// crc * x^(8 kBytes) mod P.
template <size_t kBytes>
HEADRACE_SSE42 inline uint64_t Move(uint64_t crc) {
  constexpr uint64_t kFactor = MoveBy(8 * kBytes);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(crc)),
                                               _mm_cvtsi64_si128(static_cast<int64_t>(kFactor)), 0);
  return _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product)));
}

// Three stretches of kBytes each at once: the crc32 instruction takes three cycles but starts every cycle.
template <size_t kBytes>
HEADRACE_SSE42 inline uint64_t ThreeWay(uint64_t crc, const uint8_t*& bytes, size_t& size) {
  while (size >= 3 * kBytes) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < kBytes; i += 8) {
      crc = _mm_crc32_u64(crc, Load64(bytes + i));
      second = _mm_crc32_u64(second, Load64(bytes + kBytes + i));
      third = _mm_crc32_u64(third, Load64(bytes + 2 * kBytes + i));
    }
    crc = Move<kBytes>(Move<kBytes>(crc) ^ second) ^ third;
    bytes += 3 * kBytes;
    size -= 3 * kBytes;
  }
  return crc;
}

// The two factors that move a 128-bit word by `bits` bits: for its first 8 bytes (higher powers) and its last 8.
struct Fold {
  int64_t first, last;
};
constexpr Fold FoldBy(uint64_t bits) { return {int64_t{PowerOfX(bits + 31)}, int64_t{PowerOfX(bits - 33)}}; }

template <uint64_t kBits>
HEADRACE_AVX512 inline __m512i Factors512() {
  constexpr Fold kFold = FoldBy(kBits);
  return _mm512_set4_epi64(kFold.last, kFold.first, kFold.last, kFold.first);
}

// word moved by the factors, plus next.
HEADRACE_AVX512 inline __m512i FoldInto(__m512i word, __m512i factors, __m512i next) {
  const __m512i first = _mm512_clmulepi64_epi128(word, factors, 0x00);
  const __m512i last = _mm512_clmulepi64_epi128(word, factors, 0x11);
  return _mm512_ternarylogic_epi64(first, last, next, 0x96);
}

template <uint64_t kBits>
HEADRACE_AVX512 inline __m128i Fold128(__m128i word) {
  constexpr Fold kFold = FoldBy(kBits);
  const __m128i factors = _mm_set_epi64x(kFold.last, kFold.first);
  return _mm_xor_si128(_mm_clmulepi64_si128(word, factors, 0x00), _mm_clmulepi64_si128(word, factors, 0x11));
}

// Four 128-bit words to one.
HEADRACE_AVX512 inline __m128i Narrow(__m512i word) {
  alignas(64) __m128i parts[4];
  _mm512_store_si512(parts, word);
  const __m128i a = Fold128<384>(parts[0]), b = Fold128<256>(parts[1]), c = Fold128<128>(parts[2]);
  return _mm_xor_si128(_mm_xor_si128(a, b), _mm_xor_si128(c, parts[3]));
}

HEADRACE_AVX512 inline __m512i Load512(const uint8_t* bytes) { return _mm512_loadu_si512(bytes); }

}  // namespace

HEADRACE_SSE42 uint32_t Crc32cSse42(uint32_t start, const uint8_t* bytes, size_t size) {
  uint64_t crc = ~start;
  crc = ThreeWay<1024>(crc, bytes, size);
  crc = ThreeWay<128>(crc, bytes, size);
  return ~static_cast<uint32_t>(Tail(crc, bytes, size));
}

HEADRACE_AVX512 uint32_t Crc32cVpclmulqdq(uint32_t start, const uint8_t* bytes, size_t size) {
  if (size < 256) return Crc32cSse42(start, bytes, size);
  __m512i a = _mm512_xor_si512(Load512(bytes), _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int32_t>(~start))));
  __m512i b = Load512(bytes + 64), c = Load512(bytes + 128), d = Load512(bytes + 192);
  bytes += 256;
  size -= 256;
  const __m512i by_four = Factors512<2048>(), by_one = Factors512<512>();
  for (; size >= 256; bytes += 256, size -= 256) {
    a = FoldInto(a, by_four, Load512(bytes));
    b = FoldInto(b, by_four, Load512(bytes + 64));
    c = FoldInto(c, by_four, Load512(bytes + 128));
    d = FoldInto(d, by_four, Load512(bytes + 192));
  }
  __m512i sum = FoldInto(FoldInto(FoldInto(a, by_one, b), by_one, c), by_one, d);
  for (; size >= 64; bytes += 64, size -= 64) sum = FoldInto(sum, by_one, Load512(bytes));
  const __m128i last = Narrow(sum);
  uint64_t crc = _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(last)));
  crc = _mm_crc32_u64(crc, static_cast<uint64_t>(_mm_extract_epi64(last, 1)));
  return ~static_cast<uint32_t>(Tail(crc, bytes, size));
}

}  // namespace headrace::data

#endif
