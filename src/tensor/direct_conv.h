// Direct convolutions that read the kernel where it lies: for few input channels (the first layer of a network), where
// memory decides instead of arithmetic, and for small batches, where bringing the kernel into another layout would cost
// as much as the convolution.
#pragma once

#include <memory>

#include "tensor/backend.h"
#include "tensor/cpu.h"

namespace headrace::tensor {

// Null unless dilation is 1, the type is float32 or bfloat16, and a kernel row of an input pixel's channels (kw * c) is
// at most 64 elements or, going forward, the batch at most 8. Any kernel size, stride and padding. Kernels scale with
// the threads of tensor/parallel.h at the time they are made, which must not grow later. Input affine, bias and moments
// are fused; the moments of a bfloat16 output are those of the float32 value before it is rounded. There is no backward
// data: nothing precedes the first layer.
std::unique_ptr<ConvForward> MakeDirectForward(const Conv2DDesc& desc, Isa isa = DetectIsa());
std::unique_ptr<ConvBackwardWeights> MakeDirectBackwardWeights(const Conv2DDesc& desc, Isa isa = DetectIsa());

}  // namespace headrace::tensor
