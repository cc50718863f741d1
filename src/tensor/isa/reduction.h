// reduction.h: sums over rows, channel by channel, that are exact enough for statistics and fast enough for memory.
//
// A thread adds float32 terms over short blocks of rows and merges each block into doubles; the threads' doubles are
// added in the order of the threads. So the bits of a result depend on the number of threads alone.
#pragma once

#include "tensor/isa/lanes.h"

namespace headrace::tensor::HEADRACE_ISA {

inline constexpr int64_t kBlockRows = 64;  // rows between two merges into double
inline constexpr int64_t kStripRows = 8;   // rows that one visit of a channel vector keeps in registers

// What one thread accumulates for c channels: two float32 sums of the block at hand, two double sums of all blocks.
// Lives in the kernel's scratch (ScratchDoubles).
class PartialSums {
 public:
  PartialSums(double* scratch, int64_t c, int thread) : c_(c) {
    const int64_t padded = (c + 15) / 16 * 16;
    totals_ = scratch + thread * 3 * padded;
    totals2_ = totals_ + padded;
    block_ = reinterpret_cast<float*>(totals2_ + padded);
    block2_ = block_ + padded;
  }

  void Clear() {
    for (int64_t i = 0; i < c_; ++i) totals_[i] = totals2_[i] = 0;
    ClearBlock();
  }
  void ClearBlock() {
    for (int64_t i = 0; i < c_; ++i) block_[i] = block2_[i] = 0;
  }
  // Adds the sums of one strip. Strips start from zero, so that rounding errors grow with the length of a strip and the
  // number of strips, not with the rows of a block.
  template <typename Lanes>
  void AddToBlock(int64_t channel, F32 sum, F32 sum2, Lanes lanes) {
    Store(block_ + channel, Load(block_ + channel, lanes) + sum, lanes);
    Store(block2_ + channel, Load(block2_ + channel, lanes) + sum2, lanes);
  }
  // Adds the block to the totals and clears it.
  void Merge() {
    for (int64_t i = 0; i < c_; ++i) totals_[i] += block_[i];
    for (int64_t i = 0; i < c_; ++i) totals2_[i] += block2_[i];
    ClearBlock();
  }

  const float* block() const { return block_; }
  const float* block2() const { return block2_; }
  double* totals() { return totals_; }
  double* totals2() { return totals2_; }

 private:
  int64_t c_;
  double *totals_, *totals2_;
  float *block_, *block2_;
};

static inline void ClearAll(double* scratch, int64_t c, int threads) {
  for (int thread = 0; thread < threads; ++thread) PartialSums(scratch, c, thread).Clear();
}

// Sums of channel `i` over the first `threads` threads, in their order.
struct ChannelTotals {
  double sum, sum2;
};
static inline ChannelTotals TotalsOf(double* scratch, int64_t c, int threads, int64_t i) {
  ChannelTotals total{0, 0};
  for (int thread = 0; thread < threads; ++thread) {
    PartialSums part(scratch, c, thread);
    total.sum += part.totals()[i];
    total.sum2 += part.totals2()[i];
  }
  return total;
}

}  // namespace headrace::tensor::HEADRACE_ISA
