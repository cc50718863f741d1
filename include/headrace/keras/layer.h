// headrace/keras/layer.h: what all layers are, and what they give each other. Included by headrace/keras.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/error.h"
#include "headrace/keras/constraints.h"
#include "headrace/tensor.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
class LayerState;
struct Node;
}  // namespace internal

// A weight. `value` is float32 and shares its bytes with the training engine: reading it after a step sees the step,
// writing it through its data pointer takes effect at the next one.
struct Variable {
  std::string name;  // "conv2d/kernel"
  bool trainable = true;
  Tensor value;
  Constraint constraint = {};  // applied behind every step
};

// The symbolic output of a layer or of an operation (headrace/ops.h). A dimension of -1 is the batch; -n is n times as
// many, where reshape() has put other dimensions into it.
class KerasTensor {
 public:
  KerasTensor() = default;  // refers to nothing
  const Shape& shape() const;

  explicit KerasTensor(std::shared_ptr<internal::Node> node) : node_(std::move(node)) {}
  const std::shared_ptr<internal::Node>& node() const { return node_; }

 private:
  std::shared_ptr<internal::Node> node_;
};

// shape: of one sample, without the batch, e.g. {32, 32, 3}.
KerasTensor Input(Shape shape, std::string name = "");

class Layer {
 public:
  // Calls the layer: creates its weights at the first call, checks shapes, returns the symbolic output.
  KerasTensor operator()(const KerasTensor& input) const;
  KerasTensor operator()(const std::vector<KerasTensor>& inputs) const;

  const std::string& name() const;                         // given, or "conv2d", "conv2d_1", … in a model's order
  std::string class_name() const;                          // "Conv2D"
  std::vector<std::shared_ptr<Variable>> weights() const;  // trainable ones first; empty before the first call
  std::vector<Tensor> get_weights() const;                 // copies, and
  void set_weights(const std::vector<Tensor>& weights);    // back
  bool trainable() const;
  void set_trainable(bool trainable);  // takes effect at the next compile()

  const std::shared_ptr<internal::LayerState>& state() const { return state_; }

 protected:
  explicit Layer(std::shared_ptr<internal::LayerState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<internal::LayerState> state_;
};

// What is added to the loss to keep weights or activities small: l1 * sum |w| + l2 * sum w^2. Of activities: of each
// call's output, divided by the number of rows. Weights that are not trained add nothing.
class Regularizer {
 public:
  Regularizer() = default;        // none
  Regularizer(const char* name);  // "l1", "l2", "l1_l2", factors 0.01
  Regularizer(const std::string& name) : Regularizer(name.c_str()) {}
  float l1() const { return l1_; }
  float l2() const { return l2_; }
  explicit operator bool() const { return l1_ != 0 || l2_ != 0; }

 protected:
  Regularizer(float l1, float l2);

 private:
  float l1_ = 0, l2_ = 0;
};
class L1 : public Regularizer {
 public:
  explicit L1(float l1 = 0.01f) : Regularizer(l1, 0) {}
};
class L2 : public Regularizer {
 public:
  explicit L2(float l2 = 0.01f) : Regularizer(0, l2) {}
};
class L1L2 : public Regularizer {
 public:
  explicit L1L2(float l1 = 0, float l2 = 0) : Regularizer(l1, l2) {}
};

}  // namespace headrace::keras
