#include "savedmodel/import/keras_model.h"

#include <cstring>
#include <optional>
#include <set>

#include "base/result.h"
#include "keras/layer_state.h"
#include "savedmodel/padding.h"

namespace headrace::savedmodel {
namespace {

using keras::KerasTensor;

class ModelBuilder {
 public:
  explicit ModelBuilder(const keras::Graph& graph) : graph_(graph), tensors_(graph.values.size()) {}

  keras::Model Build(const std::string& name) {
    const std::vector<bool> needed = Needed();
    const auto& dims = graph_.values[0].shape.dims();
    tensors_[0] = keras::Input(Shape(std::vector<int64_t>(dims.begin() + 1, dims.end())), graph_.values[0].layer);
    for (size_t i = 1; i < graph_.values.size(); ++i) {
      if (!needed[i]) continue;
      value_ = &graph_.values[i];
      name_ = LayerName(value_->layer);
      tensors_[i] = std::visit([&](const auto& op) { return Apply(op); }, value_->op);
    }
    keras::Model model(*tensors_[0], *tensors_[static_cast<size_t>(graph_.output)], {.name = name, .seed = 0});
    CopyWeights();
    return model;
  }

 private:
  std::vector<bool> Needed() const {
    std::vector<bool> needed(graph_.values.size());
    needed[static_cast<size_t>(graph_.output)] = true;
    for (size_t i = graph_.values.size(); i-- > 0;)
      for (const int input : graph_.values[i].inputs)
        if (needed[i]) needed[static_cast<size_t>(input)] = true;
    return needed;
  }

  // "conv2d" for the first node of the scope conv2d/, whole node names for the others.
  std::string LayerName(const std::string& node) {
    const std::string scope = node.substr(0, node.rfind('/'));
    for (const std::string& name : {scope, node})
      if (names_.insert(name).second) return name;
    std::string name;
    for (int i = 1; !names_.insert(name = node + "_" + std::to_string(i)).second;) ++i;
    return name;
  }

  const KerasTensor& Input(size_t i = 0) const { return *tensors_[static_cast<size_t>(value_->inputs[i])]; }
  Shape KernelShape() const { return value_->variables[0]->value.shape(); }

  // Calls the layer, and remembers where the values of its weights come from.
  KerasTensor Call(const keras::Layer& layer, const KerasTensor& input) {
    KerasTensor output = layer(input);
    if (!value_->variables.empty()) weights_.emplace_back(layer, value_);
    return output;
  }

  KerasTensor Apply(const keras::InputOp&) {
    throw MakeError(ErrorCode::kInternal, "layer '{}': a second input", value_->layer);
  }

  KerasTensor Apply(const keras::Conv2DOp& op) {
    if (op.groups != 1)
      throw MakeError(ErrorCode::kInvalidArgument, "node '{}': a depthwise or grouped convolution is no layer",
                      value_->layer);
    const Shape kernel = KernelShape();
    keras::Conv2DOptions options;
    options.strides = {op.stride_h, op.stride_w};
    options.dilation_rate = {op.dilation_h, op.dilation_w};
    options.use_bias = op.use_bias;
    options.name = name_;
    options.kernel_initializer = "zeros";
    const Padding padding = {op.pad_top, op.pad_bottom, op.pad_left, op.pad_right};
    const Shape& in = Input().shape();
    std::optional<KerasTensor> padded;
    if (padding ==
        SamePadding({in[1], kernel[0], op.stride_h, op.dilation_h}, {in[2], kernel[1], op.stride_w, op.dilation_w})) {
      options.padding = "same";
    } else if (padding != Padding{}) {
      padded = keras::ZeroPadding2D({{{padding.top, padding.bottom}, {padding.left, padding.right}}},
                                    {.name = LayerName(name_ + "/pad")})(Input());
    }
    const keras::Conv2D layer(kernel[3], {kernel[0], kernel[1]}, options);
    return Call(layer, padded ? *padded : Input());
  }

  KerasTensor Apply(const keras::DenseOp& op) {
    keras::DenseOptions options;
    options.use_bias = op.use_bias;
    options.kernel_initializer = "zeros";
    options.name = name_;
    return Call(keras::Dense(KernelShape()[1], options), Input());
  }

  KerasTensor Apply(const keras::BatchNormOp& op) {
    keras::BatchNormalization layer({.momentum = op.momentum, .epsilon = op.epsilon, .name = name_});
    layer.set_trainable(op.trainable);
    return Call(layer, Input());
  }

  KerasTensor Apply(const keras::ActivationOp& op) {
    return Call(keras::Activation(keras::internal::NameOfActivation(op.activation), {.name = name_}), Input());
  }

  KerasTensor Apply(const keras::DropoutOp& op) { return Call(keras::Dropout(op.rate, {.name = name_}), Input()); }

  KerasTensor Apply(const keras::MaxPoolOp& op) {
    const Padding padding = {op.pad_top, op.pad_bottom, op.pad_left, op.pad_right};
    const Shape& in = Input().shape();
    const bool same = padding == SamePadding({in[1], op.pool_h, op.stride_h, 1}, {in[2], op.pool_w, op.stride_w, 1});
    if (!same && padding != Padding{})
      throw MakeError(ErrorCode::kInvalidArgument, "node '{}': a pooling with explicit paddings, wanted VALID or SAME",
                      value_->layer);
    keras::MaxPooling2DOptions options;
    options.strides = {op.stride_h, op.stride_w};
    options.padding = padding == Padding{} ? "valid" : "same";
    options.name = name_;
    return Call(keras::MaxPooling2D({op.pool_h, op.pool_w}, options), Input());
  }

  KerasTensor Apply(const keras::GlobalAveragePoolOp&) {
    if (value_->shape.rank() != 2)
      throw MakeError(ErrorCode::kInvalidArgument, "node '{}': a mean that keeps its axes is no layer", value_->layer);
    return Call(keras::GlobalAveragePooling2D({.name = name_}), Input());
  }
  KerasTensor Apply(const keras::FlattenOp&) {
    if (value_->shape.rank() != 2)
      throw MakeError(ErrorCode::kInvalidArgument, "node '{}': a reshape to {} is no layer", value_->layer,
                      value_->shape.ToString());
    return Call(keras::Flatten({.name = name_}), Input());
  }
  KerasTensor Apply(const keras::AddOp&) {
    return keras::Add({.name = name_})(std::vector<KerasTensor>{Input(0), Input(1)});
  }
  KerasTensor Apply(const keras::ZeroPadOp& op) {
    return Call(keras::ZeroPadding2D({{{op.top, op.bottom}, {op.left, op.right}}}, {.name = name_}), Input());
  }

  // What no layer is: such models are served (import/inference_model.h) but are no keras::Model.
  template <typename Op>
  KerasTensor Apply(const Op&) {
    throw MakeError(ErrorCode::kInvalidArgument, "node '{}': no Keras layer of Headrace does this", value_->layer);
  }

  // After the model is made, which initialises weights.
  void CopyWeights() {
    for (auto& [layer, value] : weights_) {
      const auto weights = layer.weights();
      for (size_t i = 0; i < weights.size(); ++i) {
        const Tensor& source = value->variables[i]->value;
        if (weights.size() != value->variables.size() || weights[i]->value.shape() != source.shape())
          throw MakeError(ErrorCode::kInternal, "layer '{}': weights that differ from its node's", layer.name());
        std::memcpy(weights[i]->value.raw(), source.raw(), source.bytes());
      }
    }
  }

  const keras::Graph& graph_;
  std::vector<std::optional<KerasTensor>> tensors_;
  std::vector<std::pair<keras::Layer, const keras::Value*>> weights_;
  std::set<std::string> names_;
  const keras::Value* value_ = nullptr;  // the one that Apply() works on
  std::string name_;                     // of its layer
};

}  // namespace

keras::Model ModelFromGraph(const keras::Graph& graph, const std::string& name) {
  return ModelBuilder(graph).Build(name);
}

}  // namespace headrace::savedmodel
