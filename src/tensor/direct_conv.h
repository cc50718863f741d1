// Direct convolutions for few input channels (the first layer of a network): memory speed instead of arithmetic.
#pragma once

#include <memory>

#include "tensor/backend.h"
#include "tensor/cpu.h"

namespace headrace::tensor {

// Null unless dilation is 1, a kernel row of an input pixel's channels (kw * c) is at most 64 elements, and the type is
// float32 or bfloat16. Any kernel size, stride and padding. Kernels scale with the threads of tensor/parallel.h at the
// time they are made, which must not grow later. Input affine, bias and moments are fused; the moments of a bfloat16
// output are those of the float32 value before it is rounded. There is no backward data: nothing precedes the first
// layer.
std::unique_ptr<ConvForward> MakeDirectForward(const Conv2DDesc& desc, Isa isa = DetectIsa());
std::unique_ptr<ConvBackwardWeights> MakeDirectBackwardWeights(const Conv2DDesc& desc, Isa isa = DetectIsa());

}  // namespace headrace::tensor
