// simd.h: vectors of the instruction set this file is compiled for.
//
// Sources in this folder are compiled once for each of `portable`, `avx2` and `avx512`, everything inside the
// namespace HEADRACE_ISA, so that one text gives three kernels; kernels.h says how one is picked at run time.
// Include only this header, <cstdint>, <cstddef>, tensor/parallel.h and tensor/backend.h here: an inline function of
// the standard library, compiled with wider instructions, could be linked into code that must run everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace headrace::tensor::HEADRACE_ISA {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

// GCC and clang vector types: +, -, *, comparisons and ?: work lane by lane.
typedef float F32 __attribute__((vector_size(kLanes * 4)));
typedef int32_t I32 __attribute__((vector_size(kLanes * 4)));
typedef uint32_t U32 __attribute__((vector_size(kLanes * 4)));
typedef float F32Unaligned __attribute__((vector_size(kLanes * 4), aligned(4)));

static inline F32 Load(const float* p) { return *reinterpret_cast<const F32Unaligned*>(p); }
static inline void Store(float* p, F32 v) { *reinterpret_cast<F32Unaligned*>(p) = v; }
static inline F32 Broadcast(float v) { return v - F32{}; }
static inline F32 Max(F32 a, F32 b) { return a > b ? a : b; }
static inline F32 Min(F32 a, F32 b) { return a < b ? a : b; }

// bfloat16: load kLanes halves and widen; round to nearest even and store.
static inline F32 LoadBf16(const uint16_t* p) {
#if defined(__AVX512F__)
  return (F32)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16);
#elif defined(__AVX2__)
  return (F32)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16);
#else
  U32 bits;
  for (int i = 0; i < kLanes; ++i) bits[i] = static_cast<uint32_t>(p[i]) << 16;
  return (F32)bits;
#endif
}

static inline void StoreBf16(uint16_t* p, F32 v) {
  U32 bits = (U32)v;
  const U32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const U32 nan = (bits >> 16) | 0x40u;
  bits = (bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded;
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16((__m512i)bits));
#elif defined(__AVX2__)
  const __m256i packed = _mm256_packus_epi32((__m256i)bits, (__m256i)bits);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
#else
  for (int i = 0; i < kLanes; ++i) p[i] = static_cast<uint16_t>(bits[i]);
#endif
}

// The same names for both storage types, so that a kernel is a template over its element.
static inline F32 Load(const uint16_t* p) { return LoadBf16(p); }
static inline void Store(uint16_t* p, F32 v) { StoreBf16(p, v); }

}  // namespace headrace::tensor::HEADRACE_ISA
