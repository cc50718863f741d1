#include "keras/layer_state.h"

#include "base/result.h"

namespace headrace::keras::internal {

const Shape& LayerState::OneInput(const std::vector<Shape>& inputs, size_t rank, const char* wanted) const {
  if (inputs.size() != 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} inputs, wanted one of shape {}", Label(), inputs.size(),
                    wanted);
  if (inputs[0].rank() < 2 || (rank != 0 && inputs[0].rank() != rank))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found an input of shape {}, wanted {}", Label(),
                    inputs[0].ToString(), wanted);
  return inputs[0];
}

int LayerState::AppendActivation(Graph& graph, int input, tensor::Activation activation) const {
  if (activation == tensor::Activation::kLinear) return input;
  const Shape shape = graph.values[input].shape;
  return graph.Append({ActivationOp{activation}, name, {input}, shape, {}});
}

std::vector<VariablePtr> LayerState::MakeVariables(const std::vector<WeightSpec>& specs) const {
  std::vector<VariablePtr> variables;
  for (const WeightSpec& spec : specs)
    variables.push_back(std::make_shared<Variable>(Variable{spec.name, spec.trainable, {}, spec.constraint}));
  return variables;
}

std::vector<VariablePtr> LayerState::TrainableWeights() const {
  std::vector<VariablePtr> variables;
  for (const VariablePtr& weight : weights)
    if (trainable && weight->trainable) variables.push_back(weight);
  return variables;
}

namespace {

// A layer called again brings the weights of its first call.
void CheckSameShapes(const LayerState& layer, const std::vector<WeightSpec>& specs, const Shape& input) {
  for (size_t i = 0; i < specs.size(); ++i)
    if (specs[i].shape != layer.specs[i].shape)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: found an input of shape {}, wanted one for its {} of shape {}, made by an earlier call",
                      layer.Label(), input.ToString(), specs[i].name, layer.specs[i].shape.ToString());
}

}  // namespace

std::shared_ptr<Node> Call(const std::shared_ptr<LayerState>& layer, std::vector<std::shared_ptr<Node>> inputs) {
  if (inputs.empty()) throw MakeError(ErrorCode::kInvalidArgument, "{}: called without an input", layer->Label());
  std::vector<Shape> shapes;
  for (const auto& input : inputs) {
    if (input == nullptr)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: called with a KerasTensor that was never set", layer->Label());
    shapes.push_back(input->shape);
  }
  Shape output = layer->OutputShape(shapes);
  std::vector<WeightSpec> specs = layer->Weights(shapes);
  if (layer->specs.empty()) {
    layer->weights = layer->MakeVariables(specs);
    layer->specs = std::move(specs);
  } else {
    CheckSameShapes(*layer, specs, shapes[0]);
  }
  return std::make_shared<Node>(Node{layer, std::move(inputs), std::move(output)});
}

}  // namespace headrace::keras::internal
