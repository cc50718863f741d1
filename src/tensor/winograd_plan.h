// How the outputs of a convolution are cut into Winograd tiles and those into blocks of work, and what all kernels that
// do so share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/isa/winograd_kernels.h"
#include "tensor/tiling.h"

namespace headrace::tensor {

inline constexpr int64_t kWinogradPanel = 32;      // filters: a multiple of every instruction set's panel
inline constexpr int64_t kWinogradMostTiles = 42;  // of a block, see winograd.cc

// 3x3, stride and dilation 1, float32 or bfloat16.
bool WinogradSupports(const Conv2DDesc& desc);
const WinogradKernels& WinogradKernelsOf(Isa isa);

// Planes of consecutive points a whole number of lines apart, but an odd one: at a power of two all points of a tile
// would fall into the same few sets of the cache.
inline int64_t WinogradPlane(int64_t floats) {
  return (RoundUp(floats, kFloatsOfLine) / kFloatsOfLine | 1) * kFloatsOfLine;
}

struct WinogradPlan {
  struct Item {
    int tiles;  // index of its WinogradTiles
    TileBlock block;
    int64_t outputs;  // that lie inside the image
  };
  std::vector<WinogradTiles> tiles;
  std::vector<Item> items;  // by rising `tiles`
  int64_t max_count = 0;    // most tiles in a block
  int64_t max_strip = 0;    // most columns times rows of a transformed strip, see WinogradKernels::transform_input

  int max_points() const;
  // Points of all tile sizes, and of those before `index`.
  int points_before(size_t index) const;
  int total_points() const { return points_before(tiles.size()); }
};

// Covers n images of h x w outputs with tiles of 4x4, and, with `mixed`, of 4 + 2 along an edge where 4 alone would
// compute more than two rows or columns for nothing. A block has about `target` tiles.
WinogradPlan PlanWinograd(int64_t n, int64_t h, int64_t w, int64_t target, bool mixed);

}  // namespace headrace::tensor
