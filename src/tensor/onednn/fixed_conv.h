// Convolutions with fixed weights by oneDNN: weights are put into oneDNN's own format once and shared by all plans of a
// model, bias and activation are part of the same pass. Groups make depthwise convolutions.
#pragma once

#include <memory>

#include "tensor/backend.h"

namespace headrace::tensor::onednn {

// Null when oneDNN has no implementation for the description on this processor.
std::unique_ptr<FixedConv> MakeFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                         PackedWeights& packed);

}  // namespace headrace::tensor::onednn
