// winograd_kernels.h: what tensor/winograd.cc asks of each instruction set. Plain data and function pointers only.
//
// The three steps of a block of tiles, all on buffers that stay in the second-level cache:
//   v[p] = transformed input tiles,  m[p] = v[p] * u[p] for each point p,  y = transformed m.
// Layouts, with T tiles in the block, CP and FP the channels rounded up to the vector, P points a tile:
//   v: [P][T][CP], planes `v_plane` floats apart;  m: [P] matrices [T, FP] in panels (gemm_tile.h), planes `m_plane`
//   apart;  u: [P] matrices [C, FP] in panels, planes C * FP apart.
// Channels beyond C or F are zero in v and u.
#pragma once

#include <cstdint>

namespace headrace::tensor {

// Tiles of one size that cover a rectangle of every output image: rows x cols tiles of mh x mw outputs from (y0, x0).
// Tiles on the lower and right edge may reach beyond the image.
struct WinogradTiles {
  int mh = 0, mw = 0;  // 2 or 4
  int64_t y0 = 0, x0 = 0;
  int64_t rows = 0, cols = 0;
  int points() const { return (mh + 2) * (mw + 2); }
};

// Tile rows [row_begin, row_end), counted over all images, times tile columns [col_begin, col_end).
struct TileBlock {
  int64_t row_begin = 0, row_end = 0, col_begin = 0, col_end = 0;
  int64_t cols() const { return col_end - col_begin; }
  int64_t count() const { return (row_end - row_begin) * cols(); }
};

struct WinogradInput {
  const void* data = nullptr;  // [n, h, w, c]
  bool bf16 = false;
  int64_t h = 0, w = 0, c = 0;
  int64_t pad_top = 0, pad_left = 0;  // may be negative: then the first rows and columns are not used
  int64_t c_begin = 0, c_end = 0;     // the channels to transform; c_begin is a multiple of the vector
  const float* scale = nullptr;       // [c] or null: ChannelAffine
  const float* shift = nullptr;
  bool relu = false;
};

struct WinogradOutput {
  void* data = nullptr;  // [n, h, w, f]
  bool bf16 = false;
  int64_t h = 0, w = 0, f = 0;
  int64_t pitch = 0;            // elements from pixel to pixel: f, or more where only some filters are computed
  const float* bias = nullptr;  // [f] or null
  bool relu = false;            // y = min(max(y, 0), top)
  float top = 0;
  // Sums over the block's outputs for moments, or null: [3][FP] pivot, sum of (y - pivot), sum of (y - pivot)^2. Of the
  // float before it is rounded to bfloat16.
  float* sums = nullptr;
};

struct WinogradGradient {
  const void* data = nullptr;  // dy [n, h, w, f]
  bool bf16 = false;
  int64_t h = 0, w = 0, f = 0;
  float* sums = nullptr;  // [FP], or null: the sum over the block is stored here
};

struct WinogradKernels {
  int lanes;  // floats in a vector; CP and FP are multiples of it
  // strip: scratch of (mh + 2) * (cols * mw + 2) * CP floats, CP of the channels transformed.
  void (*transform_input)(const WinogradInput& in, const WinogradTiles& tiles, const TileBlock& block, float* strip,
                          float* v, int64_t v_plane);
  // m[p] = v[p] * u[p].
  void (*multiply)(int points, int64_t tiles, int64_t c, int64_t fp, const float* v, int64_t cp, int64_t v_plane,
                   const float* u, float* m, int64_t m_plane);
  void (*transform_output)(const WinogradOutput& out, const WinogradTiles& tiles, const TileBlock& block,
                           const float* m, int64_t m_plane);
  // m[p] = transformed gradients of the outputs, in the layout of m.
  void (*transform_gradient)(const WinogradGradient& in, const WinogradTiles& tiles, const TileBlock& block, float* m,
                             int64_t m_plane);
  // u[p] (+)= transpose(v[p]) * m[p]; adds unless `first`.
  void (*accumulate)(bool first, int points, int64_t tiles, int64_t c, int64_t fp, const float* v, int64_t cp,
                     int64_t v_plane, const float* m, int64_t m_plane, float* u);
  // Rows [c_begin, c_end) of u from a 3x3 kernel g: element (tap, c, f) at g[(tap * c_count + c) * g_row + f].
  void (*transform_kernel)(const WinogradTiles& tiles, int64_t c_count, int64_t f_count, int64_t fp, const float* g,
                           int64_t g_row, int64_t c_begin, int64_t c_end, float* u);
  // Rows [c_begin, c_end) of dg, the layout of g with rows dg_c apart... from the sum of `parts` accumulations u.
  void (*transform_kernel_gradient)(const WinogradTiles& tiles, int64_t c_count, int64_t f_count, int64_t fp,
                                    const float* const* parts, int64_t part_count, int64_t c_begin, int64_t c_end,
                                    bool first, float* dg, int64_t dg_tap);
};

namespace portable {
const WinogradKernels& GetWinogradKernels();
}
namespace avx2 {
const WinogradKernels& GetWinogradKernels();
}
namespace avx512 {
const WinogradKernels& GetWinogradKernels();
}

}  // namespace headrace::tensor
