#include "serving/model/graph_outputs.h"

#include <cstring>
#include <limits>

namespace headrace::serving {
namespace {

template <typename T>
T Whole(float value) {
  constexpr auto kLow = static_cast<float>(std::numeric_limits<T>::min());  // a power of two, as a float too
  return value >= kLow && value < -kLow ? static_cast<T>(value) : std::numeric_limits<T>::min();
}

template <typename T>
void ToWhole(const Tensor& value, Tensor& output) {
  const float* from = value.data<float>();
  T* to = output.data<T>();
  for (int64_t i = 0; i < value.size(); ++i) to[i] = Whole<T>(from[i]);
}

// The first of the largest along `axis`; NaN is larger than nothing.
template <typename T>
void Largest(const Tensor& value, size_t axis, Tensor& output) {
  int64_t inner = 1, outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= value.dim(i);
  for (size_t i = axis + 1; i < value.shape().rank(); ++i) inner *= value.dim(i);
  const int64_t count = value.dim(axis);
  T* to = output.data<T>();
  for (int64_t o = 0; o < outer; ++o) {
    const float* from = value.data<float>() + o * count * inner;
    for (int64_t i = 0; i < inner; ++i) {
      float most = -std::numeric_limits<float>::infinity();
      int64_t found = 0;
      for (int64_t k = 0; k < count; ++k)
        if (from[k * inner + i] > most) most = from[k * inner + i], found = k;
      to[o * inner + i] = static_cast<T>(found);
    }
  }
}

Tensor Repeated(const Tensor& row, const Shape& shape) {
  Tensor rows(row.dtype(), shape);
  for (int64_t i = 0; i < shape[0]; ++i) {
    Tensor own = rows.Slice(i, i + 1);
    std::memcpy(own.raw(), row.raw(), row.bytes());
  }
  return rows;
}

}  // namespace

Tensor OutputOf(const std::vector<Tensor>& values, const savedmodel::GraphOutput& output, const TensorInfo& info) {
  if (!output.value) return Repeated(output.row, WithRows(info.shape, values[0].dim(0)));
  const Tensor& value = values[*output.value];
  if (info.dtype == DType::kFloat32) return value;
  Tensor made(info.dtype, WithRows(info.shape, value.dim(0)));
  const bool wide = info.dtype == DType::kInt64;
  if (output.largest) {
    wide ? Largest<int64_t>(value, *output.largest, made) : Largest<int32_t>(value, *output.largest, made);
  } else {
    wide ? ToWhole<int64_t>(value, made) : ToWhole<int32_t>(value, made);
  }
  return made;
}

}  // namespace headrace::serving
