// winograd_math.h: the one-dimensional transforms of Winograd's minimal filtering F(M, 3).
//
// With the interpolation points p (0, pairs +-a, and infinity) the M outputs of a 3-tap filter g over M + 2 inputs d
// are
//   y = A^T [(G g) * (B^T d)],   A^T[i][p] = p^i,   G[p][j] = p^j / N_p,   B^T[p] = coefficients of N_p(x),
// where N_p(x) is the product of (x - q) over the other finite points q and N_p = N_p(p); infinity takes the last power
// and the product over all finite points (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks",
// 2015). Gradients are the transposes: dg = G^T [(A dy) * (B^T d)].
#pragma once

#include "tensor/isa/simd.h"

namespace headrace::tensor::HEADRACE_ISA {

template <int M>
struct Winograd;

// Points 0, 1, -1, infinity.
template <>
struct Winograd<2> {
  static inline void Input(const F32 (&d)[4], F32 (&v)[4]) {
    v[0] = d[2] - d[0];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  }
  static inline void Output(const F32 (&m)[4], F32 (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] + m[3];
  }
  static inline void Gradient(const F32 (&dy)[2], F32 (&w)[4]) {
    w[0] = dy[0];
    w[1] = dy[0] + dy[1];
    w[2] = dy[0] - dy[1];
    w[3] = dy[1];
  }
  static inline void Kernel(const F32 (&g)[3], F32 (&u)[4]) {
    const F32 even = (g[0] + g[2]) * 0.5f;
    const F32 odd = g[1] * 0.5f;
    u[0] = -g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  }
  static inline void KernelGradient(const F32 (&w)[4], F32 (&dg)[3]) {
    const F32 even = (w[1] + w[2]) * 0.5f;
    dg[0] = even - w[0];
    dg[1] = (w[1] - w[2]) * 0.5f;
    dg[2] = even + w[3];
  }
};

// Points 0, a, -a, b, -b, infinity. Measured on random data, a = 5/8, b = 3/2 halve the rounding error of the textbook
// points a = 1, b = 2 for two more operations; both and their squares are exact.
template <>
struct Winograd<4> {
  static constexpr float kA = 0.625f, kB = 1.5f;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB;
  static constexpr float kN0 = 1 / (kA2 * kB2);
  static constexpr float kNa = 1 / (2 * kA2 * (kA2 - kB2));
  static constexpr float kNb = 1 / (2 * kB2 * (kB2 - kA2));

  static inline void Input(const F32 (&d)[6], F32 (&v)[6]) {
    const F32 even_a = d[4] - d[2] * kB2, odd_a = d[3] - d[1] * kB2;
    const F32 even_b = d[4] - d[2] * kA2, odd_b = d[3] - d[1] * kA2;
    v[0] = d[0] * (kA2 * kB2) + (d[4] - d[2] * (kA2 + kB2));
    v[1] = even_a + odd_a * kA;
    v[2] = even_a - odd_a * kA;
    v[3] = even_b + odd_b * kB;
    v[4] = even_b - odd_b * kB;
    v[5] = d[1] * (kA2 * kB2) + (d[5] - d[3] * (kA2 + kB2));
  }
  static inline void Output(const F32 (&m)[6], F32 (&y)[4]) {
    const F32 even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const F32 even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = odd_a * kA + odd_b * kB;
    y[2] = even_a * kA2 + even_b * kB2;
    y[3] = odd_a * (kA2 * kA) + (odd_b * (kB2 * kB) + m[5]);
  }
  static inline void Gradient(const F32 (&dy)[4], F32 (&w)[6]) {
    const F32 even_a = dy[0] + dy[2] * kA2, odd_a = dy[1] + dy[3] * kA2;
    const F32 even_b = dy[0] + dy[2] * kB2, odd_b = dy[1] + dy[3] * kB2;
    w[0] = dy[0];
    w[1] = even_a + odd_a * kA;
    w[2] = even_a - odd_a * kA;
    w[3] = even_b + odd_b * kB;
    w[4] = even_b - odd_b * kB;
    w[5] = dy[3];
  }
  static inline void Kernel(const F32 (&g)[3], F32 (&u)[6]) {
    const F32 even_a = (g[0] + g[2] * kA2) * kNa, odd_a = g[1] * (kA * kNa);
    const F32 even_b = (g[0] + g[2] * kB2) * kNb, odd_b = g[1] * (kB * kNb);
    u[0] = g[0] * kN0;
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
  }
  static inline void KernelGradient(const F32 (&w)[6], F32 (&dg)[3]) {
    const F32 even_a = (w[1] + w[2]) * kNa, odd_a = (w[1] - w[2]) * kNa;
    const F32 even_b = (w[3] + w[4]) * kNb, odd_b = (w[3] - w[4]) * kNb;
    dg[0] = w[0] * kN0 + even_a + even_b;
    dg[1] = odd_a * kA + odd_b * kB;
    dg[2] = even_a * kA2 + even_b * kB2 + w[5];
  }
};

}  // namespace headrace::tensor::HEADRACE_ISA
