// partial.h: loads and stores of the first lanes of a vector, for channel counts that no vector divides.
#pragma once

#include "tensor/isa/simd.h"

namespace headrace::tensor::HEADRACE_ISA {

#if defined(__AVX512F__)

// Which lanes of a vector are there. Masked access costs nothing here, so every access may carry its Part.
struct Part {
  __mmask16 mask;
};
static inline Part PartOf(int64_t count) {
  return {static_cast<__mmask16>(count >= kLanes ? 0xffffu : (1u << count) - 1u)};
}
static inline F32 LoadPart(const float* p, Part part) { return (F32)_mm512_maskz_loadu_ps(part.mask, p); }
static inline F32 LoadPart(const uint16_t* p, Part part) {
  return (F32)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(part.mask, p)), 16);
}
static inline void StorePart(float* p, F32 v, Part part) { _mm512_mask_storeu_ps(p, part.mask, (__m512)v); }
static inline void StorePart(uint16_t* p, F32 v, Part part) {
  uint16_t rounded[kLanes];
  if (part.mask == 0xffffu) return Store(p, v);
  Store(rounded, v);
  for (int i = 0; part.mask >> i; ++i) p[i] = rounded[i];
}
static inline F32 KeepPart(F32 v, Part part) { return (F32)_mm512_maskz_mov_ps(part.mask, (__m512)v); }

#else

struct Part {
  int count;
};
static inline Part PartOf(int64_t count) { return {static_cast<int>(count >= kLanes ? kLanes : count)}; }
template <typename T>
static inline F32 LoadPart(const T* p, Part part) {
  if (__builtin_expect(part.count == kLanes, 1)) return Load(p);
  T values[kLanes] = {};
  for (int i = 0; i < part.count; ++i) values[i] = p[i];
  return Load(values);
}
template <typename T>
static inline void StorePart(T* p, F32 v, Part part) {
  if (__builtin_expect(part.count == kLanes, 1)) return Store(p, v);
  T values[kLanes];
  Store(values, v);
  for (int i = 0; i < part.count; ++i) p[i] = values[i];
}
static inline F32 KeepPart(F32 v, Part part) {
  for (int i = part.count; i < kLanes; ++i) v[i] = 0;
  return v;
}

#endif

}  // namespace headrace::tensor::HEADRACE_ISA
