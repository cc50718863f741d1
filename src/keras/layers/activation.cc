// Activation, and the activations by name.
#include <array>

#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

// In the order of tensor::Activation.
constexpr std::array<const char*, 8> kActivations = {"linear", "relu", "sigmoid", "tanh",
                                                     "elu",    "gelu", "swish",   "softmax"};

class ActivationState final : public LayerState {
 public:
  ActivationState(const std::string& activation, LayerOptions options) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
    activation_ = ActivationByName(Label(), activation);
  }

  std::string ClassName() const override { return "Activation"; }
  Shape OutputShape(const std::vector<Shape>& inputs) const override { return OneInput(inputs, 0, "(batch, …)"); }
  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = graph.values[inputs[0]].shape;
    return graph.Append({ActivationOp{activation_}, name, inputs, shape, {}});
  }
  nlohmann::json Config() const override { return {{"activation", NameOfActivation(activation_)}}; }

 private:
  tensor::Activation activation_;
};

}  // namespace

tensor::Activation ActivationByName(const std::string& layer, const std::string& name) {
  if (name == "silu") return tensor::Activation::kSwish;  // Keras 3's other name for it
  std::string known;
  for (size_t i = 0; i < kActivations.size(); ++i) {
    if (name == kActivations[i]) return static_cast<tensor::Activation>(i);
    known += (i == 0 ? "" : ", ") + std::string(kActivations[i]);
  }
  throw MakeError(ErrorCode::kInvalidArgument, "{}: activation: found \"{}\", wanted one of {}", layer, name, known);
}

const char* NameOfActivation(tensor::Activation activation) { return kActivations[static_cast<size_t>(activation)]; }

std::shared_ptr<LayerState> ActivationFromConfig(const LayerConfig& config) {
  return std::make_shared<ActivationState>(config.Activation(), LayerOptions{.name = config.name()});
}

}  // namespace internal

Activation::Activation(std::string activation, LayerOptions options)
    : Layer(std::make_shared<internal::ActivationState>(activation, std::move(options))) {}

}  // namespace headrace::keras
