// half.h: float16 as vectors of float32, and one at a time.
#pragma once

#include <cstdint>

#include "tensor/isa/lanes.h"

namespace headrace::hvd::HEADRACE_ISA {

using namespace tensor::HEADRACE_ISA;

static inline uint32_t BitsOf(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}
static inline float FromBits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

static inline float FloatFromHalf(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return FromBits(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);  // infinity, NaN
  if (magnitude >= 0x0400u) return FromBits(sign | ((magnitude << 13) + 0x38000000u));
  const float small = static_cast<float>(magnitude) * 0x1p-24f;  // subnormal or zero, exactly
  return FromBits(sign | BitsOf(small));
}

// To nearest even; beyond the largest float16 to infinity; a NaN stays a (quiet) NaN. As F16C does.
static inline uint16_t HalfFromFloat(float value) {
  const uint32_t bits = BitsOf(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude >= 0x38800000u) {
    const uint32_t rebased = magnitude - 0x38000000u;
    return static_cast<uint16_t>(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13));
  }
  // Below the normal numbers: adding 0.5 makes the processor round at the last place of a subnormal float16.
  const float shifted = FromBits(magnitude) + 0.5f;
  return static_cast<uint16_t>(sign | (BitsOf(shifted) - 0x3f000000u));
}

// Storage types that are two bytes each, told apart.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

static inline F32 LoadHalf(const uint16_t* p) {
#if defined(__AVX512F__)
  return (F32)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif defined(__AVX2__)
  return (F32)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
  F32 v;
  for (int i = 0; i < kLanes; ++i) v[i] = FloatFromHalf(p[i]);
  return v;
#endif
}
static inline void StoreHalf(uint16_t* p, F32 v) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__AVX2__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
#else
  for (int i = 0; i < kLanes; ++i) p[i] = HalfFromFloat(v[i]);
#endif
}

static inline F32 Load(const Half* p, Full) { return LoadHalf(&p->bits); }
static inline void Store(Half* p, F32 v, Full) { StoreHalf(&p->bits, v); }
static inline F32 Load(const Half* p, Tail tail) {
  uint16_t whole[kLanes] = {};
  for (int i = 0; i < tail.count; ++i) whole[i] = p[i].bits;
  return LoadHalf(whole);
}
static inline void Store(Half* p, F32 v, Tail tail) {
  uint16_t whole[kLanes];
  StoreHalf(whole, v);
  for (int i = 0; i < tail.count; ++i) p[i].bits = whole[i];
}
template <typename Lanes>
static inline F32 Load(const BFloat16* p, Lanes lanes) {
  return Load(&p->bits, lanes);
}
template <typename Lanes>
static inline void Store(BFloat16* p, F32 v, Lanes lanes) {
  Store(&p->bits, v, lanes);
}

}  // namespace headrace::hvd::HEADRACE_ISA
