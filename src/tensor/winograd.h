// 3x3 convolutions, stride 1, by Winograd's minimal filtering: F(4x4, 3x3), with F(4x2), F(2x4) and F(2x2) at the edges
// of images that 4 does not divide. 2.25 multiplications an output and channel instead of 9; the price is a rounding
// error a few times that of a plain sum (docs/numerics.md). Products are float32 sums for both storage types.
#pragma once

#include <memory>

#include "tensor/backend.h"
#include "tensor/cpu.h"

namespace headrace::tensor {

struct WinogradOptions {
  Isa isa = DetectIsa();
  bool mixed = true;        // also tiles smaller than 4x4
  int64_t block_tiles = 0;  // tiles a block of work; 0: what fits the second-level cache
};

// Null when the description is not 3x3 with stride and dilation 1, float32 or bfloat16. Kernels scale with the threads
// of tensor/parallel.h at the time they are made, which must not grow later. Input affine, bias and moments are fused;
// the moments of a bfloat16 output are those of the float32 value before it is rounded.
std::unique_ptr<ConvForward> MakeWinogradForward(const Conv2DDesc& desc, const WinogradOptions& options = {});
// For batches of 8 at most: nothing is shared, so nobody waits. Each thread has its own filters, or its own rows of
// tiles where there are too few filters, and transforms of the kernel and the input what it needs itself. Null for
// larger batches, too. The input affine and the bias are fused, moments are not.
std::unique_ptr<ConvForward> MakeWinogradSmallBatchForward(const Conv2DDesc& desc, Isa isa = DetectIsa());
// For kernels that never change: they are transformed once, and kept in `packed` for every batch size. A row's result
// does not depend on the others in its batch. Null, too, for bfloat16, groups, fewer than 16 channels or filters, and
// transformed kernels of more than 16 MiB.
std::unique_ptr<FixedConv> MakeWinogradFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                                 PackedWeights& packed, Isa isa = DetectIsa());
std::unique_ptr<ConvBackwardData> MakeWinogradBackwardData(const Conv2DDesc& desc, const WinogradOptions& options = {});
std::unique_ptr<ConvBackwardWeights> MakeWinogradBackwardWeights(const Conv2DDesc& desc,
                                                                 const WinogradOptions& options = {});

}  // namespace headrace::tensor
