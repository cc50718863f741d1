// Graph: a model as operations on values, before the execution plan. Layers lower themselves into it, losses and
// metrics follow them (objective.h); SavedModel export reads it, SavedModel import writes it; plan/ compiles it, in
// training with its gradients, which are operations, too. It knows no weights' values, only where they are. What an
// operation is, beyond its attributes here, is in operations/.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
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
  // Inference only: filter f reads the channels of group f / (filters / groups); kernel [kh, kw, c / groups, filters].
  int64_t groups = 1;
  tensor::PostActivation activation = tensor::PostActivation::kNone;
};
struct DenseOp {  // variables: kernel, then bias unless use_bias is false
  bool use_bias = true;
};
struct BatchNormOp {  // variables: gamma, beta, moving_mean, moving_variance
  float momentum = 0.99f, epsilon = 1e-3f;
  bool trainable = true;      // false: inference mode also while training
  bool synchronized = false;  // training statistics over the batches of all ranks
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
struct GlobalAveragePoolOp {};  // [-1, c] or [-1, 1, 1, c]
struct FlattenOp {};            // any other shape of the same elements, in their order
struct AddOp {};                // two inputs
struct ZeroPadOp {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

struct AveragePoolOp {  // padding is not counted
  int64_t pool_h = 2, pool_w = 2, stride_h = 2, stride_w = 2;
  int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
};
struct PointwiseOp {
  tensor::Pointwise kind = tensor::Pointwise::kRelu6;
  float alpha = 0;
};
// Two inputs of equal rank; a dimension of 1 repeats. Or one, and a constant as the variable, [1, …].
struct BinaryOp {
  tensor::Binary kind = tensor::Binary::kAdd;
  bool constant_first = false;  // constant op input
};
struct SelectOp {};  // three inputs of equal rank: condition, where it is not 0, where it is
struct ConcatOp {    // two inputs or more
  int64_t axis = 1;
};
struct TransposeOp {
  std::vector<int64_t> axes;  // axes[0] is 0, the batch, in graphs for inference
};

// Graphs for inference leave the batch as it is in these three: rows that are served together are strangers.
struct ReduceOp {
  tensor::Reduction kind = tensor::Reduction::kMean;
  std::vector<bool> reduced;  // by axis of the input
};
struct SliceOp {
  std::vector<int64_t> begins, steps;  // by axis
};
struct TileOp {
  std::vector<int64_t> multiples;  // by axis
};
struct ResizeOp {
  tensor::Resampling resampling = tensor::Resampling::kNearest;
  bool half_pixels = false, aligned_corners = false;
};
struct SpreadOp {  // zeros between neighbours: a transposed convolution is one of this
  int64_t stride_h = 1, stride_w = 1;
};
struct LookupOp {};  // variable: a table of rows. The input's elements are numbers of rows
struct GatherOp {    // inputs: a table [rows, width], float32; numbers of its rows, any shape
  int64_t rows = 0;
};
struct ScatterOp {  // inputs: numbers of rows; rows. The table of their sums, [rows, width]
  int64_t rows = 0;
};
struct UnsliceOp {  // where SliceOp would read is the input, elsewhere 0
  std::vector<int64_t> begins, steps;
};
struct MatMulOp {  // two inputs of equal rank, 2 or more: products of their last two axes; leading ones of 1 repeat
  bool transpose_a = false, transpose_b = false;
};
struct StopGradientOp {};

struct ConstantOp {
  Tensor value;  // float32
};
struct VariableOp {};  // the variable as a value
struct CastOp {};      // to the value's dtype
struct ArgMaxOp {};    // over the last axis: the number of the first largest element
// Inputs: scores [..., classes]; targets, float32 of the same shape or, sparse, int64 [...]. One loss a row: [...].
struct CrossentropyOp {
  bool from_logits = false, sparse = false;
  float label_smoothing = 0;
};

// Made by plan/differentiate.h: what the kernels of forward step `step` do backwards. Input: the gradient of that
// step's output; the value is the gradient of its first input, and the variables' gradients are written on the way.
struct BackwardOp {
  int step = 0;
};

using Operation =
    std::variant<InputOp, Conv2DOp, DenseOp, BatchNormOp, ActivationOp, DropoutOp, MaxPoolOp, GlobalAveragePoolOp,
                 FlattenOp, AddOp, ZeroPadOp, AveragePoolOp, PointwiseOp, BinaryOp, SelectOp, ConcatOp, TransposeOp,
                 ReduceOp, SliceOp, TileOp, ResizeOp, SpreadOp, LookupOp, GatherOp, ScatterOp, UnsliceOp, MatMulOp,
                 StopGradientOp, ConstantOp, VariableOp, CastOp, ArgMaxOp, CrossentropyOp, BackwardOp>;

// The shape in a batch of so many rows.
inline Shape WithRows(Shape shape, int64_t rows) {
  for (size_t axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] < 0) shape[axis] *= -rows;
  return shape;
}

// A value is named by the index of the operation that makes it.
struct Value {
  Operation op;
  std::string layer;        // for messages and for SavedModel's node names
  std::vector<int> inputs;  // indices below this one
  Shape shape;              // -n: n times as many as the batch has rows
  std::vector<VariablePtr> variables;
  std::optional<DType> dtype = std::nullopt;  // none: the type that the plan computes activations in
};

struct Graph {
  // In topological order; values[0] is an InputOp. References to values stay valid while others are appended.
  std::deque<Value> values;
  int output = 0;
  std::vector<int> more_outputs;  // beside `output`
  std::vector<int> penalties;     // scalars that layers add to the loss

  std::vector<int> Outputs() const {
    std::vector<int> all = {output};
    all.insert(all.end(), more_outputs.begin(), more_outputs.end());
    return all;
  }

  int Append(Value value) {
    values.push_back(std::move(value));
    return static_cast<int>(values.size()) - 1;
  }
};

}  // namespace headrace::keras
