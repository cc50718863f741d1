#include "keras/packed.h"

#include <memory>
#include <utility>

namespace headrace::keras::internal {

PackedLayout LayOut(const std::vector<Shape>& shapes) {
  constexpr int64_t kAlign = 16;  // floats in 64 bytes
  PackedLayout layout;
  for (const Shape& shape : shapes) {
    layout.offsets.push_back(layout.count);
    layout.count += (shape.size() + kAlign - 1) / kAlign * kAlign;
  }
  return layout;
}

PackedTensors PackTensors(const std::vector<Shape>& shapes, Tensor buffer) {
  const PackedLayout layout = LayOut(shapes);
  PackedTensors packed{buffer.defined() ? std::move(buffer) : Tensor::Zeros(DType::kFloat32, {layout.count}), {}};
  const auto owner = std::make_shared<Tensor>(packed.buffer);
  for (size_t i = 0; i < shapes.size(); ++i)
    packed.views.push_back(
        Tensor::View(DType::kFloat32, shapes[i], packed.buffer.data<float>() + layout.offsets[i], owner));
  return packed;
}

}  // namespace headrace::keras::internal
