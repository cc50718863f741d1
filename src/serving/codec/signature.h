// What codecs need to know of a model's signature.
#pragma once

#include <string>
#include <vector>

#include "headrace/savedmodel.h"
#include "headrace/tensor.h"

#include "base/result.h"

namespace headrace::serving {

using savedmodel::Signature;
using savedmodel::TensorInfo;

// The largest number of elements in one request's tensor.
inline constexpr int64_t kMaxElements = int64_t{1} << 31;

// Elements of one row of a tensor of shape [-1, …].
inline int64_t RowElements(const Shape& shape) {
  int64_t size = 1;
  for (size_t axis = 1; axis < shape.rank(); ++axis) size *= shape[axis];
  return size;
}

inline Shape WithRows(Shape shape, int64_t rows) {
  shape[0] = rows;
  return shape;
}

}  // namespace headrace::serving
