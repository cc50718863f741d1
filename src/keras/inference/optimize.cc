#include "keras/inference/optimize.h"

#include <cmath>
#include <optional>

namespace headrace::keras::internal {
namespace {

template <typename Op>
Op* As(Value& value) {
  return std::get_if<Op>(&value.op);
}

// Without the values that no output needs.
Graph Prune(const Graph& graph) {
  std::vector<bool> needed(graph.values.size());
  for (const int output : graph.Outputs()) needed[static_cast<size_t>(output)] = true;
  for (size_t i = graph.values.size(); i-- > 0;) {
    if (std::holds_alternative<InputOp>(graph.values[i].op)) needed[i] = true;  // inputs go by number
    for (const int input : graph.values[i].inputs)
      if (needed[i]) needed[static_cast<size_t>(input)] = true;
  }
  Graph pruned;
  std::vector<int> moved(graph.values.size(), -1);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!needed[i]) continue;
    Value value = graph.values[i];
    for (int& input : value.inputs) input = moved[static_cast<size_t>(input)];
    moved[i] = pruned.Append(std::move(value));
  }
  pruned.output = moved[static_cast<size_t>(graph.output)];
  for (const int output : graph.more_outputs) pruned.more_outputs.push_back(moved[static_cast<size_t>(output)]);
  return pruned;
}

VariablePtr NewVariable(const std::string& name, Tensor value) {
  return std::make_shared<Variable>(Variable{name, false, std::move(value)});
}

// x * scale[c] + shift[c]
struct Affine {
  std::vector<float> scale, shift;
};

Affine AffineOf(const Value& norm) {
  const auto& op = std::get<BatchNormOp>(norm.op);
  const auto row = [&](size_t i) { return static_cast<const float*>(norm.variables[i]->value.raw()); };
  const auto count = static_cast<size_t>(norm.variables[0]->value.size());
  Affine affine{std::vector<float>(count), std::vector<float>(count)};
  for (size_t c = 0; c < count; ++c) {
    const double scale = row(0)[c] / std::sqrt(static_cast<double>(row(3)[c]) + static_cast<double>(op.epsilon));
    affine.scale[c] = static_cast<float>(scale);
    affine.shift[c] = static_cast<float>(row(1)[c] - row(2)[c] * scale);
  }
  return affine;
}

// kernel: [..., f], each filter scaled; bias becomes bias * scale + shift.
std::vector<VariablePtr> Scaled(const Value& layer, bool has_bias, const Affine& affine) {
  Tensor kernel = layer.variables[0]->value.Clone();
  const auto filters = static_cast<int64_t>(affine.scale.size());
  float* values = kernel.data<float>();
  for (int64_t i = 0; i < kernel.size(); ++i) values[i] *= affine.scale[static_cast<size_t>(i % filters)];
  Tensor bias(DType::kFloat32, {filters});
  for (size_t f = 0; f < affine.scale.size(); ++f) {
    const float before = has_bias ? layer.variables[1]->value.data<float>()[f] : 0;
    bias.data<float>()[f] = before * affine.scale[f] + affine.shift[f];
  }
  const std::string& name = layer.variables[0]->name;
  return {NewVariable(name, std::move(kernel)), NewVariable(name + "/folded_bias", std::move(bias))};
}

class Optimizer {
 public:
  explicit Optimizer(const Graph& graph) : in_(graph), moved_(graph.values.size()), uses_(graph.values.size()) {
    for (const Value& value : in_.values)
      for (const int input : value.inputs) ++uses_[static_cast<size_t>(input)];
    for (const int output : in_.Outputs()) ++uses_[static_cast<size_t>(output)];
  }

  Graph Run() {
    for (size_t i = 0; i < in_.values.size(); ++i) {
      Value value = in_.values[i];
      const bool alone = value.inputs.size() == 1 && uses_[static_cast<size_t>(value.inputs[0])] == 1;
      for (int& input : value.inputs) input = moved_[static_cast<size_t>(input)];
      Value* before = alone ? &out_.values[static_cast<size_t>(value.inputs[0])] : nullptr;
      if (before != nullptr && (FoldNorm(*before, value) || FoldActivation(*before, value))) {
        moved_[i] = value.inputs[0];
        continue;
      }
      if (before != nullptr) FoldPadding(*before, value);
      moved_[i] = out_.Append(std::move(value));
    }
    out_.output = moved_[static_cast<size_t>(in_.output)];
    for (const int output : in_.more_outputs) out_.more_outputs.push_back(moved_[static_cast<size_t>(output)]);
    return Prune(out_);
  }

 private:
  static bool FoldNorm(Value& before, Value& value) {
    if (As<BatchNormOp>(value) == nullptr) return false;
    if (auto* conv = As<Conv2DOp>(before); conv != nullptr && conv->activation == tensor::PostActivation::kNone) {
      before.variables = Scaled(before, conv->use_bias, AffineOf(value));
      conv->use_bias = true;
      return true;
    }
    if (auto* dense = As<DenseOp>(before)) {
      before.variables = Scaled(before, dense->use_bias, AffineOf(value));
      dense->use_bias = true;
      return true;
    }
    return As<BatchNormOp>(before) != nullptr && FoldNorms(before, value);
  }

  // Two affine steps are one. Its scale is kept as gamma over a variance that makes the root 1.
  static bool FoldNorms(Value& before, Value& value) {
    const Affine first = AffineOf(before), second = AffineOf(value);
    constexpr float kEpsilon = 0x1p-10f;
    Tensor rows[4];
    for (Tensor& row : rows) row = Tensor::Zeros(DType::kFloat32, {static_cast<int64_t>(first.scale.size())});
    for (size_t c = 0; c < first.scale.size(); ++c) {
      rows[0].data<float>()[c] = first.scale[c] * second.scale[c];
      rows[1].data<float>()[c] = first.shift[c] * second.scale[c] + second.shift[c];
      rows[3].data<float>()[c] = 1 - kEpsilon;
    }
    for (size_t i = 0; i < 4; ++i) before.variables[i] = NewVariable(value.variables[i]->name, std::move(rows[i]));
    std::get<BatchNormOp>(before.op).epsilon = kEpsilon;
    return true;
  }

  static bool FoldActivation(Value& before, Value& value) {
    auto* conv = As<Conv2DOp>(before);
    if (conv == nullptr || conv->activation != tensor::PostActivation::kNone) return false;
    const auto* activation = As<ActivationOp>(value);
    const auto* pointwise = As<PointwiseOp>(value);
    if (activation != nullptr && activation->activation == tensor::Activation::kRelu) {
      conv->activation = tensor::PostActivation::kRelu;
    } else if (pointwise != nullptr && pointwise->kind == tensor::Pointwise::kRelu6) {
      conv->activation = tensor::PostActivation::kRelu6;
    } else {
      return false;
    }
    return true;
  }

  static void FoldPadding(const Value& before, Value& value) {
    const auto* pad = std::get_if<ZeroPadOp>(&before.op);
    auto* conv = As<Conv2DOp>(value);
    if (pad == nullptr || conv == nullptr) return;
    conv->pad_top += pad->top;
    conv->pad_bottom += pad->bottom;
    conv->pad_left += pad->left;
    conv->pad_right += pad->right;
    value.inputs[0] = before.inputs[0];
  }

  const Graph& in_;
  Graph out_;
  std::vector<int> moved_;  // by value of in_: its place in out_
  std::vector<int> uses_;
};

}  // namespace

Graph Optimize(const Graph& graph) { return Optimizer(Prune(graph)).Run(); }

}  // namespace headrace::keras::internal
