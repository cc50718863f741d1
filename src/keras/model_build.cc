#include "keras/model_build.h"

#include <cstring>
#include <limits>
#include <random>

#include "base/result.h"
#include "keras/engine.h"
#include "keras/topology.h"

namespace headrace::keras::internal {
namespace {

using NodePtr = std::shared_ptr<Node>;

uint64_t DrawSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Before there is memory for any of them.
void RequireFewElements(const ModelState& state) {
  int64_t left = state.most_elements;
  for (const auto& layer : state.Layers())
    for (const WeightSpec& spec : layer->specs) {
      if (spec.shape.size() > left)
        throw MakeError(ErrorCode::kInvalidArgument,
                        "layer {}: its {} has shape {}: found an architecture of more weights than the {} numbers that "
                        "the file declares",
                        layer->name, spec.name, spec.shape.ToString(), state.most_elements);
      left -= spec.shape.size();
    }
}

// Weights that another model has initialised already are shared with it and keep their values. The stream is the
// weight's place in the model, so that a weight's numbers depend on the seed and the layers before it alone.
void InitializeWeights(const ModelState& state) {
  RequireFewElements(state);
  const bool from_file = state.most_elements != std::numeric_limits<int64_t>::max();  // which has the values
  uint64_t stream = 0;
  for (const auto& layer : state.Layers()) {
    for (size_t i = 0; i < layer->weights.size(); ++i, ++stream) {
      Tensor& value = layer->weights[i]->value;
      if (value.defined()) continue;
      Tensor fresh(DType::kFloat32, layer->specs[i].shape);
      if (from_file)
        std::memset(fresh.raw(), 0, fresh.bytes());
      else
        Initialize(layer->specs[i].initializer, state.seed, stream, fresh);
      value = std::move(fresh);
    }
  }
}

NodePtr InputOf(const LayerState& first) {
  if (first.input_shape.rank() == 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: the first layer of a Sequential: found no input_shape, wanted the shape of one sample, e.g. "
                    "{{.input_shape = {{32, 32, 3}}}}",
                    first.Label());
  auto layer = std::make_shared<InputLayer>(first.input_shape);
  layer->name = first.name + "_input";
  Shape shape = layer->OutputShape({});
  return std::make_shared<Node>(Node{std::move(layer), {}, std::move(shape)});
}

std::vector<NodePtr> Extended(std::vector<NodePtr> nodes, const std::shared_ptr<LayerState>& layer) {
  for (const NodePtr& node : nodes)
    if (node->layer == layer)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found in this Sequential already, wanted each layer once",
                      layer->Label());
  if (nodes.empty()) nodes.push_back(InputOf(*layer));
  nodes.push_back(Call(layer, {nodes.back()}));
  NameLayers(nodes);
  return nodes;
}

}  // namespace

std::shared_ptr<ModelState> MakeModelState(const ModelOptions& options, bool sequential) {
  auto state = std::make_shared<ModelState>();
  state->sequential = sequential;
  state->name = !options.name.empty() ? options.name : sequential ? "sequential" : "functional";
  state->seed = options.seed == -1 ? DrawSeed() : static_cast<uint64_t>(options.seed);
  return state;
}

void BuildGraph(ModelState& state, std::vector<NodePtr> inputs, std::vector<NodePtr> outputs) {
  std::vector<NodePtr> nodes = OrderNodes(inputs, outputs);
  NameLayers(nodes);
  state.nodes = std::move(nodes);
  state.inputs = std::move(inputs);
  state.outputs = std::move(outputs);
  InitializeWeights(state);
}

void AppendLayer(ModelState& state, const std::shared_ptr<LayerState>& layer) {
  const bool unnamed = layer->name.empty();
  if (unnamed) layer->name = AutomaticName(*layer, state.nodes);  // first, so that messages name the layer
  try {
    state.nodes = Extended(state.nodes, layer);
    state.inputs = {state.nodes.front()};
    state.outputs = {state.nodes.back()};
  } catch (...) {
    if (unnamed) layer->name.clear();
    throw;
  }
  InitializeWeights(state);
  state.compiled.reset();
  state.engine.reset();
}

}  // namespace headrace::keras::internal
