// winograd_input.h: V = B^T d B for a block of tiles.
#pragma once

#include "tensor/isa/partial.h"
#include "tensor/isa/prefetch.h"
#include "tensor/isa/winograd_kernels.h"
#include "tensor/isa/winograd_math.h"

namespace headrace::tensor::HEADRACE_ISA {

// One row of tiles of one image.
struct TileRow {
  int64_t image, iy;  // iy, ix: first input row and column of the first tile; outside the image in the padding
  int64_t ix;
};

// Transforms each input column of the strip vertically, once for all tiles that share it, and writes
// strip[i][column][channel] for the points i. Padding is zero, after the affine transform.
template <int MH, typename T, bool kAffine>
static inline void TransformColumns(const WinogradInput& in, const TileRow& row, int64_t columns, int64_t cp,
                                    float* strip) {
  constexpr int kIn = MH + 2;
  const T* image = static_cast<const T*>(in.data) + row.image * in.h * in.w * in.c + in.c_begin;
  const int64_t channels = in.c_end - in.c_begin;
  bool inside[kIn];
  bool all_inside = true;
  for (int i = 0; i < kIn; ++i) {
    inside[i] = row.iy + i >= 0 && row.iy + i < in.h;
    all_inside &= inside[i];
  }
  const int64_t strip_row = columns * cp;
  for (int64_t x = 0; x < columns; ++x) {
    const int64_t ix = row.ix + x;
    float* to = strip + x * cp;
    if (ix < 0 || ix >= in.w) {
      for (int i = 0; i < kIn; ++i) {
        for (int64_t k = 0; k < cp; k += kLanes) Store(to + i * strip_row + k, F32{});
      }
      continue;
    }
    const T* from = image + (row.iy * in.w + ix) * in.c;
    for (int64_t k = 0; k < cp; k += kLanes) {
      const Part part = PartOf(channels - k);
      F32 d[kIn], v[kIn];
      if (__builtin_expect(all_inside, 1)) {
        for (int i = 0; i < kIn; ++i) d[i] = LoadPart(from + i * in.w * in.c + k, part);
      } else {
        for (int i = 0; i < kIn; ++i) d[i] = inside[i] ? LoadPart(from + i * in.w * in.c + k, part) : F32{};
      }
      if constexpr (kAffine) {
        const F32 scale = LoadPart(in.scale + in.c_begin + k, part);
        const F32 shift = LoadPart(in.shift + in.c_begin + k, part);
        for (int i = 0; i < kIn; ++i) {
          d[i] = d[i] * scale + shift;
          if (in.relu) d[i] = Max(d[i], F32{});
        }
        if (!all_inside) {
          for (int i = 0; i < kIn; ++i) d[i] = inside[i] ? d[i] : F32{};
        }
      }
      // The rows that the next strip adds; behind the last strip of an image those of the next image.
      for (int i = kIn; i < kIn + MH; ++i) PrefetchRead(from + i * in.w * in.c + k);
      Winograd<MH>::Input(d, v);
      for (int i = 0; i < kIn; ++i) Store(to + i * strip_row + k, v[i]);
    }
  }
}

// The horizontal half: strip -> v for the tiles [first, first + cols) of the block.
template <int MH, int MW>
static inline void TransformRows(const float* strip, int64_t columns, int64_t cols, int64_t cp, int64_t first, float* v,
                                 int64_t v_plane) {
  constexpr int kIn = MW + 2;
  for (int64_t t = 0; t < cols; ++t) {
    for (int64_t k = 0; k < cp; k += kLanes) {
      const float* from = strip + t * MW * cp + k;
      float* to = v + (first + t) * cp + k;
      for (int i = 0; i < MH + 2; ++i) {
        F32 d[kIn], w[kIn];
        for (int j = 0; j < kIn; ++j) d[j] = Load(from + (i * columns + j) * cp);
        Winograd<MW>::Input(d, w);
        for (int j = 0; j < kIn; ++j) Store(to + (i * kIn + j) * v_plane, w[j]);
      }
    }
  }
}

template <int MH, int MW, typename T, bool kAffine>
static void TransformInputOf(const WinogradInput& in, const WinogradTiles& tiles, const TileBlock& block, float* strip,
                             float* v, int64_t v_plane) {
  const int64_t columns = block.cols() * MW + 2;
  const int64_t cp = (in.c_end - in.c_begin + kLanes - 1) / kLanes * kLanes;
  int64_t first = 0;
  for (int64_t r = block.row_begin; r < block.row_end; ++r) {
    const TileRow row = {r / tiles.rows, tiles.y0 + r % tiles.rows * MH - in.pad_top,
                         tiles.x0 + block.col_begin * MW - in.pad_left};
    TransformColumns<MH, T, kAffine>(in, row, columns, cp, strip);
    TransformRows<MH, MW>(strip, columns, block.cols(), cp, first, v, v_plane);
    first += block.cols();
  }
}

template <int MH, int MW>
static void TransformInputSized(const WinogradInput& in, const WinogradTiles& tiles, const TileBlock& block,
                                float* strip, float* v, int64_t v_plane) {
  if (in.bf16) {
    (in.scale ? TransformInputOf<MH, MW, uint16_t, true>
              : TransformInputOf<MH, MW, uint16_t, false>)(in, tiles, block, strip, v, v_plane);
  } else {
    (in.scale ? TransformInputOf<MH, MW, float, true> : TransformInputOf<MH, MW, float, false>)(in, tiles, block, strip,
                                                                                                v, v_plane);
  }
}

}  // namespace headrace::tensor::HEADRACE_ISA
