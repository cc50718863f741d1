// A row of a tensor as an element of a data set has it.
#pragma once

#include <vector>

#include "headrace/tensor.h"

namespace headrace::data {

// A view of rows[index], without the first axis.
inline Tensor Row(const Tensor& rows, int64_t index) {
  const auto& dims = rows.shape().dims();
  return rows.Slice(index, index + 1).Reshape(Shape(std::vector<int64_t>(dims.begin() + 1, dims.end())));
}

}  // namespace headrace::data
