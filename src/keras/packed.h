// PackedTensors: one buffer for many float32 tensors, so that an optimizer updates all of them in one pass.
#pragma once

#include <vector>

#include "headrace/tensor.h"

namespace headrace::keras::internal {

struct PackedTensors {
  Tensor buffer;              // float32 [count], zeros; the gaps between views stay zero
  std::vector<Tensor> views;  // one for each shape, each starting at a 64-byte boundary
};

// The layout depends on the shapes alone: parameters, gradients and optimizer slots agree element by element.
PackedTensors PackTensors(const std::vector<Shape>& shapes);

}  // namespace headrace::keras::internal
