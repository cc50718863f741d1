#include "tensor/winograd_plan.h"

#include <algorithm>

namespace headrace::tensor {
namespace {

// Tiles of one size along one axis.
struct Run {
  int size;
  int64_t begin, count;
};

// A tile of m outputs costs m + 2 multiplications: a rest of 1 or 2 is cheaper as a tile of 2 (4) than of 4 (6), a rest
// of 3 is not.
std::vector<Run> CutAxis(int64_t length, bool mixed) {
  const int64_t rest = length % 4;
  if (!mixed || rest == 0 || rest == 3) return {{4, 0, (length + 3) / 4}};
  if (length < 4) return {{2, 0, 1}};
  return {{4, 0, length / 4}, {2, length / 4 * 4, 1}};
}

int64_t OutputsOf(const WinogradTiles& tiles, const TileBlock& block, int64_t h, int64_t w) {
  int64_t rows = 0;
  for (int64_t r = block.row_begin; r < block.row_end; ++r) {
    rows += std::min<int64_t>(tiles.mh, h - tiles.y0 - r % tiles.rows * tiles.mh);
  }
  const int64_t cols = std::min(block.col_end * tiles.mw, w - tiles.x0) - block.col_begin * tiles.mw;
  return rows * cols;
}

}  // namespace

bool WinogradSupports(const Conv2DDesc& d) {
  const bool dtype = d.dtype == DType::kFloat32 || d.dtype == DType::kBFloat16;
  const bool plain = d.stride_h == 1 && d.stride_w == 1 && d.dilation_h == 1 && d.dilation_w == 1;
  const bool sized = d.n > 0 && d.c > 0 && d.f > 0 && d.out_h() > 0 && d.out_w() > 0;
  return dtype && plain && sized && d.kh == 3 && d.kw == 3;
}

const WinogradKernels& WinogradKernelsOf(Isa isa) {
  switch (isa) {
#ifdef HEADRACE_HAS_avx512
    case Isa::kAvx512:
      return avx512::GetWinogradKernels();
#endif
#ifdef HEADRACE_HAS_avx2
    case Isa::kAvx2:
      return avx2::GetWinogradKernels();
#endif
    default:
      break;
  }
  return portable::GetWinogradKernels();
}

int WinogradPlan::max_points() const {
  int most = 0;
  for (const WinogradTiles& t : tiles) most = std::max(most, t.points());
  return most;
}

int WinogradPlan::points_before(size_t index) const {
  int sum = 0;
  for (size_t i = 0; i < index; ++i) sum += tiles[i].points();
  return sum;
}

WinogradPlan PlanWinograd(int64_t n, int64_t h, int64_t w, int64_t target, bool mixed) {
  WinogradPlan plan;
  for (const Run& y : CutAxis(h, mixed)) {
    for (const Run& x : CutAxis(w, mixed)) {
      plan.tiles.push_back({y.size, x.size, y.begin, x.begin, y.count, x.count});
    }
  }
  for (size_t i = 0; i < plan.tiles.size(); ++i) {
    const WinogradTiles& tiles = plan.tiles[i];
    const int64_t segments = (tiles.cols + target - 1) / target;
    const int64_t rows = n * tiles.rows;
    const int64_t rows_per_block = std::max<int64_t>(1, target * segments / tiles.cols);
    const int64_t groups = (rows + rows_per_block - 1) / rows_per_block;
    for (int64_t g = 0; g < groups; ++g) {
      for (int64_t s = 0; s < segments; ++s) {
        const TileBlock block = {rows * g / groups, rows * (g + 1) / groups, tiles.cols * s / segments,
                                 tiles.cols * (s + 1) / segments};
        plan.items.push_back({static_cast<int>(i), block, OutputsOf(tiles, block, h, w)});
        plan.max_count = std::max(plan.max_count, block.count());
        plan.max_strip = std::max(plan.max_strip, (tiles.mh + 2) * (block.cols() * tiles.mw + 2));
      }
    }
  }
  return plan;
}

}  // namespace headrace::tensor
