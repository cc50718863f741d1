// Convolutions by oneDNN's direct algorithm on channels-last activations. The kernels are kept in the format oneDNN
// likes best and are reordered from and to HWIO at each call.
#pragma once

#include <memory>

#include "tensor/backend.h"

namespace headrace::tensor::onednn {

// Null when oneDNN has no implementation for the description on this processor.
std::unique_ptr<ConvForward> MakeConvForward(const Conv2DDesc& desc);
std::unique_ptr<ConvBackwardData> MakeConvBackwardData(const Conv2DDesc& desc);
std::unique_ptr<ConvBackwardWeights> MakeConvBackwardWeights(const Conv2DDesc& desc);

}  // namespace headrace::tensor::onednn
