// lanes.h: whole and partial vectors under the same names, so that a loop and its tail are one text.
#pragma once

#include "headrace/tensor.h"

#include "tensor/isa/simd.h"

namespace headrace::tensor::HEADRACE_ISA {

// How many lanes of a vector an access touches: all of them, or the first `count`; the rest read as zero.
struct Full {};
struct Tail {
  int count;  // 1 .. kLanes - 1
};

static inline F32 Load(const float* p, Full) { return Load(p); }
static inline F32 Load(const uint16_t* p, Full) { return Load(p); }
static inline void Store(float* p, F32 v, Full) { Store(p, v); }
static inline void Store(uint16_t* p, F32 v, Full) { Store(p, v); }

#if defined(__AVX512F__)
static inline __mmask16 MaskOf(Tail tail) { return static_cast<__mmask16>((1u << tail.count) - 1); }
static inline F32 Load(const float* p, Tail tail) { return (F32)_mm512_maskz_loadu_ps(MaskOf(tail), p); }
static inline void Store(float* p, F32 v, Tail tail) { _mm512_mask_storeu_ps(p, MaskOf(tail), (__m512)v); }
#else
static inline F32 Load(const float* p, Tail tail) {
  F32 v{};
  for (int i = 0; i < tail.count; ++i) v[i] = p[i];
  return v;
}
static inline void Store(float* p, F32 v, Tail tail) {
  for (int i = 0; i < tail.count; ++i) p[i] = v[i];
}
#endif
static inline F32 Load(const uint16_t* p, Tail tail) {
  uint16_t whole[kLanes] = {};
  for (int i = 0; i < tail.count; ++i) whole[i] = p[i];
  return Load(whole);
}
static inline void Store(uint16_t* p, F32 v, Tail tail) {
  uint16_t whole[kLanes];
  Store(whole, v);
  for (int i = 0; i < tail.count; ++i) p[i] = whole[i];
}

// uint8 pixels, widened.
static inline F32 Load(const uint8_t* p, Full) {
#if defined(__AVX512F__)
  return (F32)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(__AVX2__)
  return (F32)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#else
  F32 v;
  for (int i = 0; i < kLanes; ++i) v[i] = p[i];
  return v;
#endif
}
static inline F32 Load(const uint8_t* p, Tail tail) {
  F32 v{};
  for (int i = 0; i < tail.count; ++i) v[i] = p[i];
  return v;
}

// Calls body(index, lanes) for each vector of [0, count); lanes is Full, and Tail for the rest.
template <typename Body>
static inline void ForEachVector(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body(i, Full{});
  if (i < count) body(i, Tail{static_cast<int>(count - i)});
}

static inline U32 Iota() {
  U32 v;
  for (int i = 0; i < kLanes; ++i) v[i] = static_cast<uint32_t>(i);
  return v;
}

// a * b + c, rounded once where the instruction set can: the same wherever it is written, forward and backward.
static inline F32 MulAdd(F32 a, F32 b, F32 c) {
#if defined(__AVX512F__)
  return (F32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (F32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

// max(x, 0); a NaN stays one.
static inline F32 Relu(F32 x) { return F32{} > x ? F32{} : x; }

// `value` in the lanes of the mask, zero in the others. A mask is what a comparison returns: all bits or none.
static inline F32 Where(I32 mask, F32 value) { return (F32)((I32)value & mask); }

// The mask of the lanes that an access touches.
static inline I32 ActiveLanes(Full) { return I32{} - 1; }
static inline I32 ActiveLanes(Tail tail) { return (I32)Iota() < tail.count; }

static inline float SumOfLanes(F32 v) {
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}
static inline float MaxOfLanes(F32 v) {
  float largest = v[0];
  for (int i = 1; i < kLanes; ++i) largest = v[i] > largest ? v[i] : largest;
  return largest;
}

// Turns run-time choices into template arguments: body(Constant<...>) or body(element of the storage type).
template <auto kValue>
struct Constant {
  static constexpr auto value = kValue;
};
template <typename Body>
static inline void WithFlag(bool flag, const Body& body) {
  flag ? body(Constant<true>{}) : body(Constant<false>{});
}
template <typename Body>
static inline void WithType(DType dtype, const Body& body) {
  dtype == DType::kBFloat16 ? body(uint16_t{}) : body(float{});
}

}  // namespace headrace::tensor::HEADRACE_ISA
