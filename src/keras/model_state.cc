#include "keras/model_state.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/result.h"
#include "keras/engine.h"
#include "keras/optimizer_rules.h"
#include "keras/packed.h"
#include "keras/plan/parameters.h"
#include "keras/topology.h"

namespace headrace::keras::internal {

ModelState::ModelState() = default;
ModelState::~ModelState() = default;

std::vector<std::shared_ptr<LayerState>> ModelState::Layers() const {
  std::vector<std::shared_ptr<LayerState>> layers;
  std::set<const LayerState*> seen;
  for (const auto& node : nodes)
    if (!node->inputs.empty() && seen.insert(node->layer.get()).second) layers.push_back(node->layer);
  return layers;
}

namespace {

// A layer that stands in the model and inside a layer of one's own brings its weights twice.
std::vector<VariablePtr> EachOnce(const std::vector<VariablePtr>& weights) {
  std::vector<VariablePtr> unique;
  std::set<const Variable*> seen;
  for (const VariablePtr& weight : weights)
    if (seen.insert(weight.get()).second) unique.push_back(weight);
  return unique;
}

}  // namespace

std::vector<VariablePtr> ModelState::Weights() const {
  std::vector<VariablePtr> weights;
  for (const auto& layer : Layers()) weights.insert(weights.end(), layer->weights.begin(), layer->weights.end());
  return EachOnce(weights);
}

std::vector<VariablePtr> ModelState::TrainableWeights() const {
  return compiled ? compiled->trainable : WeightsToTrain();
}

std::vector<VariablePtr> ModelState::WeightsToTrain() const {
  std::vector<VariablePtr> weights;
  for (const auto& layer : Layers()) {
    const auto of_layer = layer->TrainableWeights();
    weights.insert(weights.end(), of_layer.begin(), of_layer.end());
  }
  return EachOnce(weights);
}

void ModelState::PackParameters() {
  if (!compiled || compiled->parameters) return;
  Tensor gradients;
  if (const auto& distribute = compiled->optimizer.state()->distribute) {
    auto exchange = distribute();
    gradients = exchange->Connect(compiled->trainable);
    compiled->exchange = std::move(exchange);
  }
  compiled->parameters = std::make_shared<Parameters>(compiled->trainable, std::move(gradients));
}

namespace {

// compile() decides which layers train, whatever they say later.
void FixBatchNormalizations(Graph& graph, const std::vector<VariablePtr>& trainable) {
  for (Value& value : graph.values)
    if (auto* op = std::get_if<BatchNormOp>(&value.op))
      op->trainable = std::find(trainable.begin(), trainable.end(), value.variables[0]) != trainable.end();
}

bool Fits(const std::vector<Slot>& slots, const std::vector<SlotSpec>& specs, const std::vector<Shape>& shapes) {
  if (slots.size() != specs.size()) return false;
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto same = [&](const Tensor& value, const Shape& shape) {
      return value.shape() == ShapeOfSlot(specs[i], shape);
    };
    if (slots[i].name != specs[i].name ||
        !std::equal(slots[i].values.begin(), slots[i].values.end(), shapes.begin(), shapes.end(), same))
      return false;
  }
  return true;
}

}  // namespace

Graph ModelState::Lower(std::vector<int>* node_values) const {
  Graph graph;
  std::map<const Node*, int> values;
  LowerNodes(nodes, graph, values);
  graph.output = values.at(outputs[0].get());
  for (size_t i = 1; i < outputs.size(); ++i) graph.more_outputs.push_back(values.at(outputs[i].get()));
  if (node_values != nullptr)
    for (const auto& node : nodes) node_values->push_back(values.at(node.get()));
  if (compiled) FixBatchNormalizations(graph, compiled->trainable);
  return graph;
}

void ModelState::EnsureSlots() {
  if (!compiled) throw MakeError(ErrorCode::kFailedPrecondition, "{}: compile() the model first", name);
  OptimizerState& optimizer = *compiled->optimizer.state();
  std::vector<Shape> shapes;
  for (const VariablePtr& weight : compiled->trainable) shapes.push_back(weight->value.shape());
  const std::vector<SlotSpec> specs = shapes.empty() ? std::vector<SlotSpec>{} : SlotsOf(optimizer);
  if (Fits(optimizer.slots, specs, shapes)) return;
  if (!optimizer.slots.empty())
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "{}: the optimizer holds the state of other variables; compile() with a new one", name);
  if (!shapes.empty()) MakeSlots(optimizer, compiled->trainable);
}

}  // namespace headrace::keras::internal
