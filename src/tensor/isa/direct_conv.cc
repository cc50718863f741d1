// The kernels of direct_conv_kernels.h for this instruction set.
#include "tensor/isa/direct_conv_kernels.h"
#include "tensor/isa/gemm_tile.h"
#include "tensor/isa/partial.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

inline float Widen(float v) { return v; }
inline float Widen(uint16_t v) {
  const uint32_t bits = static_cast<uint32_t>(v) << 16;
  float out;
  __builtin_memcpy(&out, &bits, sizeof out);
  return out;
}

// One input row, transformed and zero padded.
template <typename T>
void PadRow(const DirectConvShape& s, const DirectConvInput& in, int64_t image, int64_t iy, float* to) {
  const int64_t count = s.padded_row();
  if (iy < 0 || iy >= s.h) {
    for (int64_t i = 0; i < count; ++i) to[i] = 0;
    return;
  }
  const int64_t lead = s.pad_left * s.c;  // negative when the first columns are not used
  const int64_t begin = lead < 0 ? 0 : (lead < count ? lead : count);
  const int64_t inside = lead + s.w * s.c;
  const int64_t end = inside < count ? (inside > begin ? inside : begin) : count;
  const T* from = static_cast<const T*>(in.data) + (image * s.h + iy) * s.w * s.c - lead;
  for (int64_t i = 0; i < begin; ++i) to[i] = 0;
  if (in.scale == nullptr) {
    for (int64_t i = begin; i < end; ++i) to[i] = Widen(from[i]);
  } else {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t c = (i - lead) % s.c;
      const float v = Widen(from[i]) * in.scale[c] + in.shift[c];
      to[i] = in.relu && v < 0 ? 0 : v;
    }
  }
  for (int64_t i = end; i < count; ++i) to[i] = 0;
}

void PadRows(const DirectConvShape& s, const DirectConvInput& in, const DirectConvBlock& block, float* padded) {
  const int64_t first = block.row_begin * s.stride_h - s.pad_top;
  const int64_t rows = (block.row_end - block.row_begin - 1) * s.stride_h + s.kh;
  const auto pad = s.bf16 ? PadRow<uint16_t> : PadRow<float>;
  for (int64_t r = 0; r < rows; ++r) pad(s, in, block.image, first + r, padded + r * s.padded_row());
}

void PackKernel(const DirectConvShape& s, const float* g, float* packed) {
  const int64_t depth = s.kh * s.row();
  for (int64_t j = 0; j < s.fp; j += kPanel) {
    const int64_t width = s.fp - j < kPanel ? s.fp - j : kPanel;
    for (int64_t k = 0; k < depth; ++k) {
      for (int64_t q = 0; q < width; ++q) {
        packed[j * depth + k * width + q] = j + q < s.f ? g[k * s.f + j + q] : 0.0f;
      }
    }
  }
}

// What a tile of outputs needs to know of the whole.
struct TileContext {
  const DirectConvShape& shape;
  const float* packed;  // the panel
  const float* bias;
  float* sums;  // of the panel, or null
  int64_t j;    // first filter of the panel
  bool first;   // of the block: sets the pivot of the sums
};

// kRows outputs side by side for one panel of filters; `padded` at the first one's first input element.
template <int kRows, int kVectors, typename T>
void ForwardTile(const TileContext& t, const float* padded, T* y) {
  constexpr int kWidth = kVectors * kLanes;
  constexpr int kPointers = (kRows + 2) / 3;
  const DirectConvShape& s = t.shape;
  const int64_t step = s.stride_w * s.c;
  const int64_t row = s.row(), pitch = s.padded_row();
  F32 sum[kRows][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const F32 bias = t.bias ? LoadPart(t.bias + t.j + v * kLanes, PartOf(s.f - t.j - v * kLanes)) : F32{};
    for (int r = 0; r < kRows; ++r) sum[r][v] = bias;
  }
  const float* b = t.packed;
  for (int64_t i = 0; i < s.kh; ++i) {
    const float* rows[kPointers];
    for (int q = 0; q < kPointers; ++q) {
      rows[q] = padded + i * pitch + 3 * q * step;
      HideOrigin(rows[q]);
    }
#pragma GCC unroll 1
    for (int64_t k = 0; k < row; ++k) {
      F32 bv[kVectors];
      for (int v = 0; v < kVectors; ++v) bv[v] = Load(b + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const F32 av = Broadcast(rows[r / 3][(r % 3) * step]);
        for (int v = 0; v < kVectors; ++v) sum[r][v] += av * bv[v];
      }
      b += kWidth;
      for (int q = 0; q < kPointers; ++q) ++rows[q];
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const Part part = PartOf(s.f - t.j - v * kLanes);
    for (int r = 0; r < kRows; ++r) StorePart(y + r * s.f + v * kLanes, sum[r][v], part);
  }
  if (t.sums == nullptr) return;
  for (int v = 0; v < kVectors; ++v) {
    float* const to = t.sums + v * kLanes;
    if (t.first) {
      Store(to, sum[0][v]);
      Store(to + s.fp, F32{});
      Store(to + 2 * s.fp, F32{});
    }
    const F32 pivot = Load(to);
    F32 total = Load(to + s.fp), squares = Load(to + 2 * s.fp);
    for (int r = 0; r < kRows; ++r) {
      const F32 d = sum[r][v] - pivot;
      total += d;
      squares += d * d;
    }
    Store(to + s.fp, total);
    Store(to + 2 * s.fp, squares);
  }
}

template <int kVectors, typename T>
void ForwardTiles(int64_t rows, const TileContext& t, const float* padded, T* y) {
  switch (rows) {
#define HEADRACE_ROWS(R)                                                 \
  case R:                                                                \
    if constexpr (R <= kMaxRows) ForwardTile<R, kVectors>(t, padded, y); \
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

template <typename T>
void ForwardOf(const DirectConvShape& s, const DirectConvBlock& block, const float* packed, const float* bias, T* y,
               const float* padded, float* sums) {
  const int64_t groups = (s.out_w + kMaxRows - 1) / kMaxRows;
  const int64_t depth = s.kh * s.row();
  for (int64_t oy = block.row_begin; oy < block.row_end; ++oy) {
    const float* const from = padded + (oy - block.row_begin) * s.stride_h * s.padded_row();
    T* const to = y + (block.image * s.out_h + oy) * s.out_w * s.f;
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t begin = s.out_w * g / groups, end = s.out_w * (g + 1) / groups;
      for (int64_t j = 0; j < s.fp; j += kPanel) {
        const TileContext t = {
            s, packed + j * depth, bias, sums ? sums + j : nullptr, j, oy == block.row_begin && g == 0};
        const auto tiles = s.fp - j >= kPanel ? ForwardTiles<kPanelVectors, T> : ForwardTiles<1, T>;
        tiles(end - begin, t, from + begin * s.stride_w * s.c, to + begin * s.f + j);
      }
    }
  }
}

void Forward(const DirectConvShape& s, const DirectConvInput& in, const DirectConvBlock& block, const float* packed,
             const float* bias, void* y, float* padded, float* sums) {
  PadRows(s, in, block, padded);
  if (s.bf16) {
    ForwardOf(s, block, packed, bias, static_cast<uint16_t*>(y), padded, sums);
  } else {
    ForwardOf(s, block, packed, bias, static_cast<float*>(y), padded, sums);
  }
}

// A row of dy as panels [out_w, fp], added to the sums.
template <typename T>
void PackGradientRow(const DirectConvShape& s, const T* dy, float* band, float* sums) {
  for (int64_t j = 0; j < s.fp; j += kLanes) {
    const Part part = PartOf(s.f - j);
    const int64_t panel = j / kPanel * kPanel;
    const int64_t width = s.fp - panel < kPanel ? s.fp - panel : kPanel;
    float* const to = band + panel * s.out_w + (j - panel);
    F32 sum = F32{};
    for (int64_t x = 0; x < s.out_w; ++x) {
      const F32 v = LoadPart(dy + x * s.f + j, part);
      Store(to + x * width, v);
      sum += v;
    }
    if (sums) Store(sums + j, Load(sums + j) + sum);
  }
}

void BackwardWeights(const DirectConvShape& s, const DirectConvInput& in, const DirectConvBlock& block, const void* dy,
                     float* padded, float* band, float* dg, float* sums) {
  PadRows(s, in, block, padded);
  if (sums) {
    for (int64_t j = 0; j < s.fp; j += kLanes) Store(sums + j, F32{});
  }
  for (int64_t oy = block.row_begin; oy < block.row_end; ++oy) {
    const int64_t at = (block.image * s.out_h + oy) * s.out_w * s.f;
    if (s.bf16) {
      PackGradientRow(s, static_cast<const uint16_t*>(dy) + at, band, sums);
    } else {
      PackGradientRow(s, static_cast<const float*>(dy) + at, band, sums);
    }
    const auto gemm = oy == block.row_begin ? GemmPanels<false> : GemmPanels<true>;
    const float* const from = padded + (oy - block.row_begin) * s.stride_h * s.padded_row();
    for (int64_t i = 0; i < s.kh; ++i) {
      gemm(s.row(), s.out_w, s.fp, from + i * s.padded_row(), 1, s.stride_w * s.c, band, dg + i * s.row() * s.fp);
    }
  }
}

}  // namespace

const DirectConvKernels& GetDirectConvKernels() {
  static constexpr DirectConvKernels kKernels = {kLanes, kPanel, PackKernel, Forward, BackwardWeights};
  return kKernels;
}

}  // namespace headrace::tensor::HEADRACE_ISA
