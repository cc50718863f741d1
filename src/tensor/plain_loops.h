// What plain parallel loops over float32 or bfloat16 share.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "headrace/tensor.h"

#include "tensor/bfloat16.h"
#include "tensor/parallel.h"

namespace headrace::tensor {

inline constexpr int64_t kGrain = 16384;  // elements below which one thread is faster

template <typename T>
float Load(T value) {
  if constexpr (std::is_same_v<T, float>) return value;
  return FloatFromBFloat16(static_cast<uint16_t>(value));
}
template <typename T>
T Store(float value) {
  if constexpr (std::is_same_v<T, float>) return value;
  return static_cast<T>(BFloat16FromFloat(value));
}

// Calls body(T*) for the C++ type of `dtype`.
template <typename Body>
void WithType(DType dtype, const Body& body) {
  if (dtype == DType::kBFloat16) {
    body(static_cast<uint16_t*>(nullptr));
  } else {
    body(static_cast<float*>(nullptr));
  }
}

// Calls body(begin, end) over [0, count), `weight` elements each.
template <typename Body>
void Ranges(int64_t count, const Body& body, int64_t weight = 1) {
  if (count * weight < kGrain) {
    body(int64_t{0}, count);
  } else {
    ParallelRanges(count, [&](int64_t begin, int64_t end, int) { body(begin, end); });
  }
}

// Distances, in elements, between neighbours along each axis.
inline std::vector<int64_t> Steps(const Shape& shape) {
  std::vector<int64_t> steps(shape.rank());
  int64_t step = 1;
  for (size_t axis = shape.rank(); axis-- > 0; step *= shape[axis]) steps[axis] = step;
  return steps;
}

// The same, 0 where one element repeats.
inline std::vector<int64_t> RepeatingSteps(const Shape& shape) {
  std::vector<int64_t> steps = Steps(shape);
  for (size_t axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] == 1) steps[axis] = 0;
  return steps;
}

}  // namespace headrace::tensor
