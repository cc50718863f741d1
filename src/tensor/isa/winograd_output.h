// winograd_output.h: y = A^T m A for a block of tiles, with bias and the sums for moments; and its transpose,
// m = A dy A^T.
#pragma once

#include "tensor/isa/gemm_tile.h"
#include "tensor/isa/partial.h"
#include "tensor/isa/prefetch.h"
#include "tensor/isa/winograd_kernels.h"
#include "tensor/isa/winograd_math.h"

namespace headrace::tensor::HEADRACE_ISA {

// Where vector j of tile t lies in a plane of T tiles (panels of gemm_tile.h).
static inline int64_t PanelOffset(int64_t tiles, int64_t t, int64_t fp, int64_t j) {
  const int64_t panel = j / kPanel * kPanel;
  const int64_t width = fp - panel < kPanel ? fp - panel : kPanel;
  return panel * tiles + t * width + (j - panel);
}

// A tile's place in the output image; rows and cols are what lies inside.
struct TilePlace {
  int64_t offset;  // of its first pixel, in pixels from the first image
  int rows, cols;
};

template <int MH, int MW>
static inline TilePlace PlaceOf(const WinogradTiles& tiles, int64_t h, int64_t w, int64_t row, int64_t col) {
  const int64_t y = tiles.y0 + row % tiles.rows * MH;
  const int64_t x = tiles.x0 + col * MW;
  return {(row / tiles.rows * h + y) * w + x, static_cast<int>(h - y < MH ? h - y : MH),
          static_cast<int>(w - x < MW ? w - x : MW)};
}

template <int MH, int MW>
static inline void OutputTile(const float* m, int64_t m_plane, F32 (&y)[MH][MW]) {
  F32 half[MH][MW + 2];
#pragma GCC unroll 8
  for (int j = 0; j < MW + 2; ++j) {
    F32 column[MH + 2], out[MH];
    for (int i = 0; i < MH + 2; ++i) column[i] = Load(m + (i * (MW + 2) + j) * m_plane);
    Winograd<MH>::Output(column, out);
    for (int i = 0; i < MH; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < MH; ++i) Winograd<MW>::Output(half[i], y[i]);
}

// Adds the tile's outputs to the sums over the block; the first tile of a block sets the pivot, so that a mean far
// from zero costs no digits of the variance.
template <int MH, int MW>
static inline void AddSums(const F32 (&y)[MH][MW], const TilePlace& place, bool first, int64_t fp, float* sums) {
  if (first) {
    Store(sums, y[0][0]);
    Store(sums + fp, F32{});
    Store(sums + 2 * fp, F32{});
  }
  const F32 pivot = Load(sums);
  F32 sum = Load(sums + fp), squares = Load(sums + 2 * fp);
  for (int i = 0; i < MH; ++i) {
    if (i >= place.rows) break;
    for (int j = 0; j < MW; ++j) {
      if (j >= place.cols) break;
      const F32 d = y[i][j] - pivot;
      sum += d;
      squares += d * d;
    }
  }
  Store(sums + fp, sum);
  Store(sums + 2 * fp, squares);
}

template <int MH, int MW, typename T, bool kSums>
static void TransformOutputOf(const WinogradOutput& out, const WinogradTiles& tiles, const TileBlock& block,
                              const float* m, int64_t m_plane) {
  const int64_t fp = (out.f + kLanes - 1) / kLanes * kLanes;
  const int64_t count = block.count();
  int64_t t = 0;
  for (int64_t row = block.row_begin; row < block.row_end; ++row) {
    for (int64_t col = block.col_begin; col < block.col_end; ++col, ++t) {
      const TilePlace place = PlaceOf<MH, MW>(tiles, out.h, out.w, row, col);
      T* const to = static_cast<T*>(out.data) + place.offset * out.pitch;
      const bool whole = place.rows == MH && place.cols == MW;
      for (int64_t k = 0; k < fp; k += kLanes) {
        const Part part = PartOf(out.f - k);
        F32 y[MH][MW];
        for (int i = 0; i < MH; ++i) {  // the tile to the right
          for (int j = 0; j < MW; ++j) PrefetchWrite(to + (i * out.w + j + MW) * out.pitch + k);
        }
        OutputTile<MH, MW>(m + PanelOffset(count, t, fp, k), m_plane, y);
        if (out.bias) {
          const F32 bias = LoadPart(out.bias + k, part);
          for (int i = 0; i < MH; ++i) {
            for (int j = 0; j < MW; ++j) y[i][j] += bias;
          }
        }
        if (out.relu) {
          const F32 top = Broadcast(out.top);
          for (int i = 0; i < MH; ++i) {
            for (int j = 0; j < MW; ++j) y[i][j] = Min(top, Max(F32{}, y[i][j]));  // NaN stays
          }
        }
        if (__builtin_expect(whole, 1)) {
          for (int i = 0; i < MH; ++i) {
            for (int j = 0; j < MW; ++j) StorePart(to + (i * out.w + j) * out.pitch + k, y[i][j], part);
          }
          if constexpr (kSums) AddSums<MH, MW>(y, {0, MH, MW}, t == 0, fp, out.sums + k);
        } else {
          for (int i = 0; i < MH; ++i) {
            for (int j = 0; j < MW; ++j) {
              if (i < place.rows && j < place.cols) StorePart(to + (i * out.w + j) * out.pitch + k, y[i][j], part);
            }
          }
          if constexpr (kSums) AddSums<MH, MW>(y, place, t == 0, fp, out.sums + k);
        }
      }
    }
  }
}

template <int MH, int MW>
static void TransformOutputSized(const WinogradOutput& out, const WinogradTiles& tiles, const TileBlock& block,
                                 const float* m, int64_t m_plane) {
  if (out.bf16) {
    (out.sums ? TransformOutputOf<MH, MW, uint16_t, true>
              : TransformOutputOf<MH, MW, uint16_t, false>)(out, tiles, block, m, m_plane);
  } else {
    (out.sums ? TransformOutputOf<MH, MW, float, true> : TransformOutputOf<MH, MW, float, false>)(out, tiles, block, m,
                                                                                                  m_plane);
  }
}

template <int MH, int MW>
static inline void GradientTile(const F32 (&dy)[MH][MW], float* m, int64_t m_plane) {
  F32 half[MH + 2][MW];
#pragma GCC unroll 8
  for (int j = 0; j < MW; ++j) {
    F32 column[MH], out[MH + 2];
    for (int i = 0; i < MH; ++i) column[i] = dy[i][j];
    Winograd<MH>::Gradient(column, out);
    for (int i = 0; i < MH + 2; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < MH + 2; ++i) {
    F32 out[MW + 2];
    Winograd<MW>::Gradient(half[i], out);
    for (int j = 0; j < MW + 2; ++j) Store(m + (i * (MW + 2) + j) * m_plane, out[j]);
  }
}

template <int MH, int MW, typename T>
static void TransformGradientOf(const WinogradGradient& in, const WinogradTiles& tiles, const TileBlock& block,
                                float* m, int64_t m_plane) {
  const int64_t fp = (in.f + kLanes - 1) / kLanes * kLanes;
  const int64_t count = block.count();
  int64_t t = 0;
  if (in.sums) {
    for (int64_t k = 0; k < fp; k += kLanes) Store(in.sums + k, F32{});
  }
  for (int64_t row = block.row_begin; row < block.row_end; ++row) {
    for (int64_t col = block.col_begin; col < block.col_end; ++col, ++t) {
      const TilePlace place = PlaceOf<MH, MW>(tiles, in.h, in.w, row, col);
      const T* const from = static_cast<const T*>(in.data) + place.offset * in.f;
      const bool whole = place.rows == MH && place.cols == MW;
      for (int64_t k = 0; k < fp; k += kLanes) {
        const Part part = PartOf(in.f - k);
        F32 dy[MH][MW];
        for (int i = 0; i < MH; ++i) {  // the tile below
          for (int j = 0; j < MW; ++j) PrefetchRead(from + ((i + MH) * in.w + j) * in.f + k);
        }
        if (__builtin_expect(whole, 1)) {
          for (int i = 0; i < MH; ++i) {
            for (int j = 0; j < MW; ++j) dy[i][j] = LoadPart(from + (i * in.w + j) * in.f + k, part);
          }
        } else {
          for (int i = 0; i < MH; ++i) {
            for (int j = 0; j < MW; ++j) {
              const bool inside = i < place.rows && j < place.cols;
              dy[i][j] = inside ? LoadPart(from + (i * in.w + j) * in.f + k, part) : F32{};
            }
          }
        }
        if (in.sums) {
          F32 sum = Load(in.sums + k);
          for (int i = 0; i < MH; ++i) {
            F32 line = dy[i][0];
            for (int j = 1; j < MW; ++j) line += dy[i][j];
            sum += line;
          }
          Store(in.sums + k, sum);
        }
        GradientTile<MH, MW>(dy, m + PanelOffset(count, t, fp, k), m_plane);
      }
    }
  }
}

template <int MH, int MW>
static void TransformGradientSized(const WinogradGradient& in, const WinogradTiles& tiles, const TileBlock& block,
                                   float* m, int64_t m_plane) {
  (in.bf16 ? TransformGradientOf<MH, MW, uint16_t> : TransformGradientOf<MH, MW, float>)(in, tiles, block, m, m_plane);
}

}  // namespace headrace::tensor::HEADRACE_ISA
