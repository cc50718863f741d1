#include "keras/packed.h"

#include <memory>

namespace headrace::keras::internal {

PackedTensors PackTensors(const std::vector<Shape>& shapes) {
  constexpr int64_t kAlign = 16;  // floats in 64 bytes
  int64_t count = 0;
  for (const Shape& shape : shapes) count += (shape.size() + kAlign - 1) / kAlign * kAlign;
  PackedTensors packed{Tensor::Zeros(DType::kFloat32, {count}), {}};
  const auto owner = std::make_shared<Tensor>(packed.buffer);
  float* at = packed.buffer.data<float>();
  for (const Shape& shape : shapes) {
    packed.views.push_back(Tensor::View(DType::kFloat32, shape, at, owner));
    at += (shape.size() + kAlign - 1) / kAlign * kAlign;
  }
  return packed;
}

}  // namespace headrace::keras::internal
