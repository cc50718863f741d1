// The kernels of direct_conv_kernels.h for this instruction set.
#include "tensor/isa/direct_conv_kernels.h"
#include "tensor/isa/gemm_tile.h"
#include "tensor/isa/partial.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// to[i] = from[i], widened.
template <typename T>
void Copy(const T* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const Part part = PartOf(count - i);
    StorePart(to + i, LoadPart(from + i, part), part);
  }
}

// The same, pixel by pixel, through scale and shift.
template <typename T>
void CopyTransformed(const DirectConvInput& in, const T* from, int64_t count, int64_t c, float* to) {
  for (int64_t pixel = 0; pixel < count; pixel += c) {
    for (int64_t k = 0; k < c; k += kLanes) {
      const Part part = PartOf(c - k);
      const F32 v = LoadPart(from + pixel + k, part) * LoadPart(in.scale + k, part) + LoadPart(in.shift + k, part);
      StorePart(to + pixel + k, in.relu ? Max(v, F32{}) : v, part);
    }
  }
}

void Clear(float* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = 0;
}

// One input row, transformed and zero padded.
template <typename T>
void PadRow(const DirectConvShape& s, const DirectConvInput& in, int64_t image, int64_t iy, float* to) {
  const int64_t count = s.padded_row();
  if (iy < 0 || iy >= s.h) return Clear(to, count);
  const int64_t lead = s.pad_left * s.c;  // negative when the first columns are not used
  const int64_t begin = lead < 0 ? 0 : (lead < count ? lead : count);
  const int64_t inside = lead + s.w * s.c;
  const int64_t end = inside < count ? (inside > begin ? inside : begin) : count;
  const T* from = static_cast<const T*>(in.data) + (image * s.h + iy) * s.w * s.c - lead;
  Clear(to, begin);
  if (in.scale == nullptr) {
    Copy(from + begin, end - begin, to + begin);
  } else {
    CopyTransformed(in, from + begin, end - begin, s.c, to + begin);
  }
  Clear(to + end, count - end);
}

void PadRows(const DirectConvShape& s, const DirectConvInput& in, const DirectConvBlock& block, float* padded) {
  const int64_t first = block.row_begin * s.stride_h - s.pad_top;
  const int64_t rows = (block.row_end - block.row_begin - 1) * s.stride_h + s.kh;
  const auto pad = s.bf16 ? PadRow<uint16_t> : PadRow<float>;
  for (int64_t r = 0; r < rows; ++r) pad(s, in, block.image, first + r, padded + r * s.padded_row());
}

// What a tile of outputs needs to know of the whole.
struct TileContext {
  const DirectConvShape& shape;
  const float* kernel;  // of the panel's first filter
  const float* bias;
  float* sums;  // of the panel, or null
  int64_t j;    // first filter of the panel
  bool first;   // of the block: sets the pivot of the sums
};

// kHeight x kWidth outputs of one panel of filters; `padded` at the first one's first input element.
template <int kHeight, int kWidth, int kVectors, typename T>
void ForwardTile(const TileContext& t, const float* padded, T* y) {
  constexpr int kPointers = (kWidth + 2) / 3;  // a tile row
  const DirectConvShape& s = t.shape;
  const int64_t step = s.stride_w * s.c;
  const int64_t row = s.row(), pitch = s.padded_row();
  F32 sum[kHeight][kWidth][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const F32 bias = t.bias ? LoadPart(t.bias + t.j + v * kLanes, PartOf(s.f - t.j - v * kLanes)) : F32{};
    for (int r = 0; r < kHeight; ++r) {
      for (int q = 0; q < kWidth; ++q) sum[r][q][v] = bias;
    }
  }
  const float* b = t.kernel;
  for (int64_t i = 0; i < s.kh; ++i) {
    const float* at[kHeight][kPointers];
    for (int r = 0; r < kHeight; ++r) {
      for (int q = 0; q < kPointers; ++q) {
        at[r][q] = padded + (r * s.stride_h + i) * pitch + 3 * q * step;
        HideOrigin(at[r][q]);
      }
    }
#pragma GCC unroll 1
    for (int64_t k = 0; k < row; ++k) {
      F32 bv[kVectors];
      for (int v = 0; v < kVectors; ++v) bv[v] = Load(b + v * kLanes);
#pragma GCC unroll 4
      for (int r = 0; r < kHeight; ++r) {
#pragma GCC unroll 16
        for (int q = 0; q < kWidth; ++q) {
          const F32 av = Broadcast(at[r][q / 3][(q % 3) * step]);
          for (int v = 0; v < kVectors; ++v) sum[r][q][v] += av * bv[v];
        }
      }
      b += s.fp;
      for (int r = 0; r < kHeight; ++r) {
        for (int q = 0; q < kPointers; ++q) ++at[r][q];
      }
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const Part part = PartOf(s.f - t.j - v * kLanes);
    for (int r = 0; r < kHeight; ++r) {
      for (int q = 0; q < kWidth; ++q) StorePart(y + (r * s.out_w + q) * s.f + v * kLanes, sum[r][q][v], part);
    }
  }
  if (t.sums == nullptr) return;
  for (int v = 0; v < kVectors; ++v) {
    float* const to = t.sums + v * kLanes;
    if (t.first) {
      Store(to, sum[0][0][v]);
      Store(to + s.fp, F32{});
      Store(to + 2 * s.fp, F32{});
    }
    const F32 pivot = Load(to);
    F32 total = Load(to + s.fp), squares = Load(to + 2 * s.fp);
    for (int r = 0; r < kHeight; ++r) {
      for (int q = 0; q < kWidth; ++q) {
        const F32 d = sum[r][q][v] - pivot;
        total += d;
        squares += d * d;
      }
    }
    Store(to + s.fp, total);
    Store(to + 2 * s.fp, squares);
  }
}

template <int kHeight, int kVectors, typename T>
void ForwardTiles(int64_t width, const TileContext& t, const float* padded, T* y) {
  switch (width) {
#define HEADRACE_WIDTH(W)                                                                   \
  case W:                                                                                   \
    if constexpr (kHeight * W <= kMaxRows) ForwardTile<kHeight, W, kVectors>(t, padded, y); \
    break;
    HEADRACE_WIDTH(1)
    HEADRACE_WIDTH(2)
    HEADRACE_WIDTH(3)
    HEADRACE_WIDTH(4)
    HEADRACE_WIDTH(5)
    HEADRACE_WIDTH(6)
    HEADRACE_WIDTH(7)
    HEADRACE_WIDTH(8)
    HEADRACE_WIDTH(9)
    HEADRACE_WIDTH(10)
    HEADRACE_WIDTH(11)
    HEADRACE_WIDTH(12)
    HEADRACE_WIDTH(13)
    HEADRACE_WIDTH(14)
#undef HEADRACE_WIDTH
  }
}

// Rows of outputs a tile has: one, unless they are so short that most registers would stay empty.
inline int64_t TileHeight(int64_t out_w, int64_t rows_left) {
  if (4 * out_w <= kMaxRows && rows_left >= 4) return 4;
  return 2 * out_w <= kMaxRows && rows_left >= 2 ? 2 : 1;
}

template <typename T>
void ForwardOf(const DirectConvShape& s, const DirectConvBlock& block, const float* kernel, const float* bias, T* y,
               const float* padded, float* sums) {
  const int64_t groups = (s.out_w + kMaxRows - 1) / kMaxRows;
  int64_t height = 1;
  for (int64_t oy = block.row_begin; oy < block.row_end; oy += height) {
    height = TileHeight(s.out_w, block.row_end - oy);
    const float* const from = padded + (oy - block.row_begin) * s.stride_h * s.padded_row();
    T* const to = y + (block.image * s.out_h + oy) * s.out_w * s.f;
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t begin = s.out_w * g / groups, end = s.out_w * (g + 1) / groups;
      for (int64_t j = block.f_begin; j < block.f_end; j += kPanel) {
        const TileContext t = {s, kernel + j, bias, sums ? sums + j : nullptr, j, oy == block.row_begin && g == 0};
        const bool whole = s.fp - j >= kPanel;
        const auto tiles = height == 4   ? (whole ? ForwardTiles<4, kPanelVectors, T> : ForwardTiles<4, 1, T>)
                           : height == 2 ? (whole ? ForwardTiles<2, kPanelVectors, T> : ForwardTiles<2, 1, T>)
                                         : (whole ? ForwardTiles<1, kPanelVectors, T> : ForwardTiles<1, 1, T>);
        tiles(end - begin, t, from + begin * s.stride_w * s.c, to + begin * s.f + j);
      }
    }
  }
}

void Forward(const DirectConvShape& s, const DirectConvBlock& block, const float* kernel, const float* bias, void* y,
             const float* padded, float* sums) {
  if (s.bf16) {
    ForwardOf(s, block, kernel, bias, static_cast<uint16_t*>(y), padded, sums);
  } else {
    ForwardOf(s, block, kernel, bias, static_cast<float*>(y), padded, sums);
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
  static constexpr DirectConvKernels kKernels = {kLanes, kPanel, PadRows, Forward, BackwardWeights};
  return kKernels;
}

}  // namespace headrace::tensor::HEADRACE_ISA
