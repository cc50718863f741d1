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
struct FlattenOp {};            // any other shape of the same elements
struct AddOp {};                // two inputs
struct ZeroPadOp {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

// Inference only: graphs of others have them, no layer lowers to them.
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
  std::vector<int64_t> axes;  // axes[0] is 0, the batch
};

struct ReduceOp {
  tensor::Reduction kind = tensor::Reduction::kMean;
  std::vector<bool> reduced;  // by axis of the input; never the batch
};
struct SliceOp {
  std::vector<int64_t> begins, steps;  // by axis; of the batch 0 and 1
};
struct TileOp {
  std::vector<int64_t> multiples;  // by axis; of the batch 1
};
struct ResizeOp {
  tensor::Resampling resampling = tensor::Resampling::kNearest;
  bool half_pixels = false, aligned_corners = false;
};
struct SpreadOp {  // zeros between neighbours: a transposed convolution is one of this
  int64_t stride_h = 1, stride_w = 1;
};
struct LookupOp {};  // variable: a table of rows. The input's elements are numbers of rows

using Operation =
    std::variant<InputOp, Conv2DOp, DenseOp, BatchNormOp, ActivationOp, DropoutOp, MaxPoolOp, GlobalAveragePoolOp,
                 FlattenOp, AddOp, ZeroPadOp, AveragePoolOp, PointwiseOp, BinaryOp, SelectOp, ConcatOp, TransposeOp,
                 ReduceOp, SliceOp, TileOp, ResizeOp, SpreadOp, LookupOp>;

// A value is named by the index of the operation that makes it.
struct Value {
  Operation op;
  std::string layer;        // for messages and for SavedModel's node names
  std::vector<int> inputs;  // indices below this one
  Shape shape;              // [-1, …]
  std::vector<VariablePtr> variables;
};

struct Graph {
  // In topological order; values[0] is an InputOp, the only one but in graphs for inference.
  std::vector<Value> values;
  int output = 0;
  std::vector<int> more_outputs;  // inference only: beside `output`

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
