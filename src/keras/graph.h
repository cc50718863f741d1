// Graph: a model as operations on values, before the execution plan. Layers lower themselves into it; SavedModel
// export reads it, SavedModel import writes it; plan/ compiles it. It knows no weights' values, only where they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "headrace/keras.h"

#include "tensor/backend.h"

namespace headrace::keras {

using VariablePtr = std::shared_ptr<Variable>;

struct InputOp {};
struct Conv2DOp {  // variables: kernel, then bias unless use_bias is false
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  bool use_bias = true;
};
struct DenseOp {  // variables: kernel, then bias unless use_bias is false
  bool use_bias = true;
};
struct BatchNormOp {  // variables: gamma, beta, moving_mean, moving_variance
  float momentum = 0.99f, epsilon = 1e-3f;
  bool trainable = true;  // false: inference mode also while training
};
struct ActivationOp {
  tensor::Activation activation = tensor::Activation::kLinear;
};
struct DropoutOp {
  float rate = 0;
};
struct MaxPoolOp {
  int64_t pool_h = 2, pool_w = 2, stride_h = 2, stride_w = 2;
  int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
};
struct GlobalAveragePoolOp {};
struct FlattenOp {};
struct AddOp {};  // two inputs
struct ZeroPadOp {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

using Operation = std::variant<InputOp, Conv2DOp, DenseOp, BatchNormOp, ActivationOp, DropoutOp, MaxPoolOp,
                               GlobalAveragePoolOp, FlattenOp, AddOp, ZeroPadOp>;

// A value is named by the index of the operation that makes it.
struct Value {
  Operation op;
  std::string layer;        // for messages and for SavedModel's node names
  std::vector<int> inputs;  // indices below this one
  Shape shape;              // [-1, …]
  std::vector<VariablePtr> variables;
};

struct Graph {
  std::vector<Value> values;  // in topological order; values[0] is the one InputOp
  int output = 0;

  int Append(Value value) {
    values.push_back(std::move(value));
    return static_cast<int>(values.size()) - 1;
  }
};

}  // namespace headrace::keras
