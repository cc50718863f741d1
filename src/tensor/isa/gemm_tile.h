// gemm_tile.h: the register-blocked product at the heart of every convolution kernel.
#pragma once

#include "tensor/isa/prefetch.h"
#include "tensor/isa/simd.h"

namespace headrace::tensor::HEADRACE_ISA {

// A tile of the product is kMaxRows rows of kPanelVectors vectors, all in registers. AVX-512 has 32 of them: 28 sums,
// two vectors of b and one element of a. The others have 16: 12 sums.
#if defined(__AVX512F__)
inline constexpr int kMaxRows = 14;
#else
inline constexpr int kMaxRows = 6;
#endif
inline constexpr int kPanelVectors = 2;
inline constexpr int kPanel = kPanelVectors * kLanes;

// Keeps the compiler from seeing how pointers are related: it would otherwise give each row a register of its own,
// more than there are. With three rows a pointer, the addresses are [p], [p + 4 s] and [p + 8 s].
static inline void HideOrigin(const float*& p) {
#if defined(__GNUC__)
  asm("" : "+r"(p));
#endif
}

// out[r][j] (+)= sum over i < depth of a[r * a_row + i * a_step] * b[i * kVectors * kLanes + j]
// for kRows rows and kVectors vectors; out rows are kVectors * kLanes apart.
template <int kRows, int kVectors, bool kAccumulate>
static inline void GemmTile(int64_t depth, const float* a, int64_t a_row, int64_t a_step, const float* b, float* out) {
  constexpr int kWidth = kVectors * kLanes;
  constexpr int kPointers = (kRows + 2) / 3;
  F32 sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      if constexpr (kAccumulate) {
        sum[r][v] = Load(out + r * kWidth + v * kLanes);
      } else {
        sum[r][v] = F32{};
      }
    }
  }
  const float* rows[kPointers];
  for (int q = 0; q < kPointers; ++q) {
    rows[q] = a + 3 * q * a_row;
    HideOrigin(rows[q]);
  }
#pragma GCC unroll 1
  for (int64_t i = 0; i < depth; ++i) {
    F32 bv[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      bv[v] = Load(b + v * kLanes);
      PrefetchRead(b + depth * kWidth + v * kLanes);  // the next panel: transformed kernels outgrow the cache
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const F32 av = Broadcast(rows[r / 3][(r % 3) * a_row]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] += av * bv[v];
    }
    b += kWidth;
    for (int q = 0; q < kPointers; ++q) rows[q] += a_step;
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) Store(out + r * kWidth + v * kLanes, sum[r][v]);
  }
}

template <int kVectors, bool kAccumulate>
static inline void GemmRows(int64_t rows, int64_t depth, const float* a, int64_t a_row, int64_t a_step, const float* b,
                            float* out) {
  switch (rows) {
#define HEADRACE_ROWS(R)                                                   \
  case R:                                                                  \
    if constexpr (R <= kMaxRows) {                                         \
      GemmTile<R, kVectors, kAccumulate>(depth, a, a_row, a_step, b, out); \
    }                                                                      \
    break;
    HEADRACE_ROWS(1)
    HEADRACE_ROWS(2)
    HEADRACE_ROWS(3)
    HEADRACE_ROWS(4)
    HEADRACE_ROWS(5)
    HEADRACE_ROWS(6)
    HEADRACE_ROWS(7)
    HEADRACE_ROWS(8)
    HEADRACE_ROWS(9)
    HEADRACE_ROWS(10)
    HEADRACE_ROWS(11)
    HEADRACE_ROWS(12)
    HEADRACE_ROWS(13)
    HEADRACE_ROWS(14)
#undef HEADRACE_ROWS
  }
}

// The same for any number of rows, in groups as even as can be: 64 rows are 13 + 13 + 13 + 13 + 12, not 14 * 4 + 8.
template <int kVectors, bool kAccumulate>
static inline void GemmPanel(int64_t rows, int64_t depth, const float* a, int64_t a_row, int64_t a_step, const float* b,
                             float* out) {
  const int64_t groups = (rows + kMaxRows - 1) / kMaxRows;
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t begin = rows * g / groups;
    const int64_t end = rows * (g + 1) / groups;
    GemmRows<kVectors, kAccumulate>(end - begin, depth, a + begin * a_row, a_row, a_step, b,
                                    out + begin * kVectors * kLanes);
  }
}

// Matrices on the filter side lie in panels: element (r, j) of [rows, width] is at
// (j / kPanel) * kPanel * rows + r * min(kPanel, width - j / kPanel * kPanel) + j % kPanel; width % kLanes == 0.
// out (panels) (+)= a * b (panels).
template <bool kAccumulate>
static inline void GemmPanels(int64_t rows, int64_t depth, int64_t width, const float* a, int64_t a_row, int64_t a_step,
                              const float* b, float* out) {
  int64_t j = 0;
  for (; j + kPanel <= width; j += kPanel) {
    GemmPanel<kPanelVectors, kAccumulate>(rows, depth, a, a_row, a_step, b + j * depth, out + j * rows);
  }
  if (j < width) GemmPanel<1, kAccumulate>(rows, depth, a, a_row, a_step, b + j * depth, out + j * rows);
}

}  // namespace headrace::tensor::HEADRACE_ISA
