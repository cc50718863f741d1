// TensorFlow's SAME padding, the way export and import need it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace headrace::savedmodel {

struct Padding {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  bool operator==(const Padding&) const = default;
};

// A sliding window along one axis.
struct Window {
  int64_t size = 0, kernel = 1, stride = 1, dilation = 1;
};

// As many outputs as the input has strides; an odd cell is added behind.
inline int64_t SameTotal(const Window& w) {
  const int64_t out = (w.size + w.stride - 1) / w.stride;
  return std::max<int64_t>((out - 1) * w.stride + (w.kernel - 1) * w.dilation + 1 - w.size, 0);
}
inline Padding SamePadding(const Window& rows, const Window& columns) {
  const int64_t h = SameTotal(rows), w = SameTotal(columns);
  return {h / 2, h - h / 2, w / 2, w - w / 2};
}

}  // namespace headrace::savedmodel
