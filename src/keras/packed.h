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
struct PackedLayout {
  std::vector<int64_t> offsets;  // of each view, in elements
  int64_t count = 0;             // of the buffer
};
PackedLayout LayOut(const std::vector<Shape>& shapes);

// `buffer`: float32 zeros [LayOut(shapes).count] to put the views into; undefined: memory of its own.
PackedTensors PackTensors(const std::vector<Shape>& shapes, Tensor buffer = {});

}  // namespace headrace::keras::internal
