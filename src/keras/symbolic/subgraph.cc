#include "keras/symbolic/subgraph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/result.h"
#include "keras/symbolic/operation_layer.h"
#include "keras/topology.h"

namespace headrace::keras::internal {

Subgraph::Subgraph(std::string owner, std::vector<std::shared_ptr<Node>> inputs,
                   std::vector<std::shared_ptr<Node>> outputs)
    : owner_(std::move(owner)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  for (const auto& output : outputs_) {
    if (output == nullptr)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found a result that was never set, wanted a value", owner_);
    Visit(output);
  }
}

void Subgraph::Visit(const std::shared_ptr<Node>& node) {
  const auto known = [&](const auto& nodes) { return std::find(nodes.begin(), nodes.end(), node) != nodes.end(); };
  if (known(inputs_) || known(nodes_)) return;
  if (dynamic_cast<const InputLayer*>(node->layer.get()) != nullptr)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found a result that depends on the input \"{}\" of a model, wanted one of its arguments alone",
                    owner_, node->layer->name);
  for (const auto& input : node->inputs) Visit(input);
  nodes_.push_back(node);
}

std::vector<std::shared_ptr<LayerState>> Subgraph::Layers() const {
  std::vector<std::shared_ptr<LayerState>> layers;
  for (const auto& node : nodes_) {
    const auto& layer = node->layer;
    if (node->inputs.empty() || IsOperation(*layer)) continue;
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  }
  return layers;
}

std::vector<int> Subgraph::Lower(Graph& graph, const std::vector<int>& inputs) const {
  std::map<const Node*, int> values;
  for (size_t i = 0; i < inputs_.size(); ++i) values[inputs_[i].get()] = inputs[i];
  LowerNodes(nodes_, graph, values);
  std::vector<int> results;
  for (const auto& output : outputs_) results.push_back(values.at(output.get()));
  return results;
}

}  // namespace headrace::keras::internal
