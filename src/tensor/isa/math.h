// math.h: elementary functions of a vector. The polynomials are our own minimax fits; errors are stated for float32.
#pragma once

#include "tensor/isa/lanes.h"

namespace headrace::tensor::HEADRACE_ISA {

static inline F32 Sqrt(F32 x) {
#if defined(__AVX512F__)
  return (F32)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (F32)_mm256_sqrt_ps((__m256)x);
#else
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

static inline F32 Abs(F32 x) { return (F32)((U32)x & 0x7fffffffu); }
static inline F32 CopySign(F32 magnitude, F32 sign) { return (F32)((U32)magnitude | ((U32)sign & 0x80000000u)); }

// coefficients[0] + coefficients[1] x + ...
template <int kCount>
static inline F32 Polynomial(F32 x, const float (&coefficients)[kCount]) {
  F32 sum = Broadcast(coefficients[kCount - 1]);
  for (int i = kCount - 2; i >= 0; --i) sum = MulAdd(sum, x, Broadcast(coefficients[i]));
  return sum;
}

// x = k ln 2 + r with |r| <= ln 2 / 2: k as a whole number, r to more than float32's precision.
struct ReducedExponent {
  F32 k, r;
};
static inline ReducedExponent ReduceExponent(F32 x) {
  // Adding 1.5 * 2^23 leaves no bits for a fraction, so it rounds to a whole number.
  const F32 round = Broadcast(12582912.0f);
  const F32 k = MulAdd(x, Broadcast(1.44269504f), round) - round;
  F32 r = MulAdd(k, Broadcast(-0.693359375f), x);  // ln 2 in two parts, the first with few bits
  r = MulAdd(k, Broadcast(2.12194440e-4f), r);
  return {k, r};
}

// e^r - 1 for |r| <= ln 2 / 2.
static inline F32 Expm1Reduced(F32 r) {
  constexpr float kTerms[] = {4.999999953e-01f, 1.666657369e-01f, 4.166686101e-02f, 8.363739841e-03f, 1.390152754e-03f};
  return MulAdd(r * r, Polynomial(r, kTerms), r);
}

// 2^k for a whole k in [-126, 127].
static inline F32 PowerOfTwo(F32 k) {
  const I32 whole = (I32)(k + Broadcast(12582912.0f)) - 0x4b400000;
  return (F32)((whole + 127) << 23);
}

// e^x, relative error below 1.5e-7; 0 below -87.3, infinity above 88.7, NaN stays NaN.
static inline F32 Exp(F32 x) {
  const F32 clamped = Max(Min(Broadcast(88.8f), x), Broadcast(-87.4f));
  const ReducedExponent e = ReduceExponent(clamped);
  const F32 most = Broadcast(127.0f);  // 2^128 is no float32, though e^88.7 is: double once more there
  const F32 value =
      (Expm1Reduced(e.r) + 1.0f) * PowerOfTwo(Min(e.k, most)) * (e.k > most ? Broadcast(2) : Broadcast(1));
  const F32 bounded = x > Broadcast(88.72283f) ? Broadcast(__builtin_inff()) : value;
  return x != x ? x : (x < Broadcast(-87.33654f) ? F32{} : bounded);
}

// e^x - 1 for x <= 0, relative error below 3e-7.
static inline F32 Expm1OfNegative(F32 x) {
  const F32 small = Expm1Reduced(x);
  return x > Broadcast(-0.34f) ? small : Exp(x) - 1.0f;
}

// Natural logarithm of a positive, normal x: relative error below 2e-7 (absolute near 1).
static inline F32 Log(F32 x) {
  constexpr float kTerms[] = {3.333332993e-01f, -2.500030453e-01f, 2.000120426e-01f, -1.664154751e-01f,
                              1.420980942e-01f, -1.298959103e-01f, 1.265707222e-01f, -7.975006923e-02f};
  // x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2)
  const I32 bits = (I32)x;
  const I32 k = (bits - 0x3f3504f3) >> 23;
  const F32 f = (F32)(bits - (k << 23)) - 1.0f;
  const F32 exponent = __builtin_convertvector(k, F32);
  const F32 square = f * f;
  F32 tail = f * square * Polynomial(f, kTerms);
  tail = MulAdd(exponent, Broadcast(-2.12194440e-4f), tail);
  tail = MulAdd(square, Broadcast(-0.5f), tail);
  return MulAdd(exponent, Broadcast(0.693359375f), f + tail);
}

// 1 / (1 + e^-x), relative error below 4e-7.
static inline F32 Sigmoid(F32 x) { return 1.0f / (1.0f + Exp(-x)); }

// Relative error below 3e-7.
static inline F32 Tanh(F32 x) {
  constexpr float kTerms[] = {-3.333332895e-01f, 1.333277012e-01f, -5.385095670e-02f, 2.099736757e-02f,
                              -6.096952150e-03f};
  const F32 square = x * x;
  const F32 small = MulAdd(x * square, Polynomial(square, kTerms), x);
  const F32 large = 1.0f - 2.0f / (Exp(2.0f * Abs(x)) + 1.0f);
  return Abs(x) < Broadcast(0.625f) ? small : CopySign(large, x);
}

// Distribution of the standard normal, (1 + erf(x / sqrt 2)) / 2; absolute error below 1e-7, and in the lower tail
// relative error below 1e-5, since it comes from erfc there.
static inline F32 NormalCdf(F32 x) {
  constexpr float kErf[] = {1.128379122e+00f,  -3.761232618e-01f, 1.128018007e-01f,
                            -2.671131020e-02f, 4.917550172e-03f,  -5.631417250e-04f};  // erf(a) / a in a^2, |a| < 1
  constexpr float kErfc[] = {2.256309001e-01f, 2.266069503e-01f, 1.995460798e-01f,  2.094588562e-01f,
                             1.793154827e-02f, 2.286407017e-01f, -1.038837371e-01f, -4.234660825e-03f};
  const F32 a = Abs(x) * 0.707106781f;
  const F32 square = a * a;
  const F32 near = 0.5f + CopySign(0.5f * a * Polynomial(square, kErf), x);
  // erfc(a) = e^(-a^2) t P(t), t = 1 / (1 + 0.4 a), 1 <= a <= 10
  const F32 t = 1.0f / (1.0f + 0.4f * a);
  const F32 tail = 0.5f * Exp(-0.5f * x * x) * t * Polynomial(t, kErfc);
  return a < Broadcast(1.0f) ? near : (x < F32{} ? tail : 1.0f - tail);
}

// Density of the standard normal.
static inline F32 NormalPdf(F32 x) { return 0.398942280f * Exp(-0.5f * x * x); }

}  // namespace headrace::tensor::HEADRACE_ISA
