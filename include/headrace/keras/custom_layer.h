// headrace/keras/custom_layer.h: layers of one's own. Included by headrace/keras.h; their operations: headrace/ops.h.
//
//   class Linear : public CustomLayer {
//    public:
//     explicit Linear(int64_t units) : units_(units) {}
//     void build(const Shape& input) override {
//       kernel_ = add_weight("kernel", {input.dims().back(), units_});
//       bias_ = add_weight("bias", {units_}, {.initializer = "zeros"});
//     }
//     KerasTensor call(const KerasTensor& x) override { return ops::matmul(x, kernel_) + bias_; }
//    private:
//     int64_t units_;
//     KerasTensor kernel_, bias_;
//   };
//   model.add(Custom<Linear>(32));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "headrace/keras/layer.h"
#include "headrace/keras/layers.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
class CustomLayerState;
struct CustomLayerParts;
}  // namespace internal

struct WeightOptions {
  Initializer initializer = "glorot_uniform";
  bool trainable = true;
  Regularizer regularizer = {};
  Constraint constraint = {};
};

// call() is run once for each shape of the input, on symbolic values; what it does is what the layer is. Layers that it
// uses are members, made by the constructor or by build(), so that all its calls share their weights.
class CustomLayer {
 public:
  explicit CustomLayer(LayerOptions options = {});
  virtual ~CustomLayer();
  CustomLayer(const CustomLayer&) = delete;
  CustomLayer& operator=(const CustomLayer&) = delete;

  // Once, before the first call(). Shapes have the batch in front, -1.
  virtual void build(const Shape& input_shape);
  virtual void build(const std::vector<Shape>& input_shapes);  // of several inputs
  virtual KerasTensor call(const KerasTensor& input);
  virtual KerasTensor call(const std::vector<KerasTensor>& inputs);

 protected:
  KerasTensor add_weight(const std::string& name, const Shape& shape, WeightOptions options = {});
  // In call(): a number that training makes small, beside the model's loss.
  void add_loss(const KerasTensor& loss);

 private:
  friend class internal::CustomLayerState;
  std::unique_ptr<internal::CustomLayerParts> parts_;
};

namespace internal {
std::shared_ptr<LayerState> MakeCustomLayer(std::shared_ptr<CustomLayer> layer);
}

// T, a CustomLayer, as a layer of models.
template <typename T>
class Custom : public Layer {
 public:
  template <typename... Args>
  requires std::is_constructible_v<T, Args...>
  explicit Custom(Args&&... args) : Custom(std::make_shared<T>(std::forward<Args>(args)...)) {}
  T& operator*() const { return *layer_; }
  T* operator->() const { return layer_.get(); }

 private:
  explicit Custom(std::shared_ptr<T> layer) : Layer(internal::MakeCustomLayer(layer)), layer_(std::move(layer)) {}
  std::shared_ptr<T> layer_;
};

// A function as a layer without weights.
class Lambda : public Layer {
 public:
  explicit Lambda(std::function<KerasTensor(const KerasTensor&)> function, LayerOptions options = {});
};

}  // namespace headrace::keras
