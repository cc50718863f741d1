#include "keras/topology.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/result.h"
#include "keras/operations/builder.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras::internal {
namespace {

using NodePtr = std::shared_ptr<Node>;

// A depth-first walk against the edges: which nodes there are, and when their layers were first met.
class Walk {
 public:
  explicit Walk(const std::vector<NodePtr>& outputs) {
    for (const NodePtr& output : outputs) Visit(output);
  }

  const std::vector<NodePtr>& nodes() const { return nodes_; }  // inputs before what uses them
  size_t Rank(const NodePtr& node) const { return ranks_.at(node->layer.get()); }

 private:
  void Visit(const NodePtr& node) {
    if (!seen_.insert(node.get()).second) return;
    ranks_.try_emplace(node->layer.get(), ranks_.size());
    for (const NodePtr& input : node->inputs) Visit(input);
    nodes_.push_back(node);
  }

  std::set<const Node*> seen_;
  std::map<const LayerState*, size_t> ranks_;
  std::vector<NodePtr> nodes_;
};

// Steps from each node to an output, the longest way. A layer called more than once counts as far away as its
// furthest call met so far, as in Keras.
std::map<const Node*, int> DepthsOf(const std::vector<NodePtr>& nodes) {
  std::map<const Node*, int> depths;
  std::map<const LayerState*, int> of_layer;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const int depth = std::max(depths[node->get()], of_layer[(*node)->layer.get()]);
    depths[node->get()] = of_layer[(*node)->layer.get()] = depth;
    for (const NodePtr& input : (*node)->inputs) {
      int& below = depths[input.get()];
      below = std::max(below, depth + 1);
    }
  }
  return depths;
}

// Not a constant.
bool IsInput(const Node& node) { return dynamic_cast<const InputLayer*>(node.layer.get()) != nullptr; }

void CheckGiven(const std::vector<NodePtr>& inputs) {
  for (const NodePtr& input : inputs) {
    if (input == nullptr)
      throw MakeError(ErrorCode::kInvalidArgument, "model: found an input that was never set, wanted one of Input()");
    if (!IsInput(*input))
      throw MakeError(ErrorCode::kInvalidArgument,
                      "model: found the output of layer {} as input, wanted one of Input()", input->layer->Label());
    if (std::count(inputs.begin(), inputs.end(), input) > 1)
      throw MakeError(ErrorCode::kInvalidArgument, "model: found the input {} twice, wanted each once",
                      input->layer->Label());
  }
}

// Targets, metrics and predict() go by rows: those of an output are the samples of the batch.
void CheckOutput(const NodePtr& output) {
  if (output == nullptr)
    throw MakeError(ErrorCode::kInvalidArgument, "model: found an output that was never set, wanted a layer's value");
  if (output->inputs.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "model: found no layer between input and output");
  const Shape& shape = output->shape;
  if (shape.rank() > 0 && shape[0] == -1) return;
  const bool several = shape.rank() > 0 && shape[0] < -1;
  throw MakeError(ErrorCode::kInvalidArgument, "model: found an output of shape {}{}, wanted the batch in front",
                  shape.ToString(), several ? fmt::format(" with {} rows a sample", -shape[0]) : "");
}

void CheckInputs(const std::vector<NodePtr>& nodes, const std::vector<NodePtr>& inputs) {
  for (const NodePtr& node : nodes)
    if (IsInput(*node) && std::find(inputs.begin(), inputs.end(), node) == inputs.end())
      throw MakeError(ErrorCode::kInvalidArgument,
                      "model: found an output that depends on another input of shape {}, wanted only the given ones",
                      node->shape.ToString());
  for (const NodePtr& input : inputs)
    if (std::find(nodes.begin(), nodes.end(), input) == nodes.end())
      throw MakeError(ErrorCode::kInvalidArgument,
                      "model: the graph is disconnected: no output depends on the given input {} of shape {}",
                      input->layer->Label(), input->shape.ToString());
}

std::string FreeName(const std::string& base, const std::set<std::string>& taken) {
  if (!taken.contains(base)) return base;
  for (int i = 1;; ++i)
    if (std::string name = base + "_" + std::to_string(i); !taken.contains(name)) return name;
}

void NameWeights(const LayerState& layer) {
  for (size_t i = 0; i < layer.weights.size(); ++i) layer.weights[i]->name = layer.name + "/" + layer.specs[i].name;
}

}  // namespace

std::string SnakeCase(const std::string& class_name) {
  std::string name;
  for (size_t i = 0; i < class_name.size(); ++i) {
    const auto c = static_cast<unsigned char>(class_name[i]);
    const bool after_lower = i > 0 && std::islower(static_cast<unsigned char>(class_name[i - 1]));
    if (std::isupper(c) && after_lower) name += '_';
    name += static_cast<char>(std::tolower(c));
  }
  return name;
}

std::vector<NodePtr> OrderNodes(const std::vector<NodePtr>& inputs, const std::vector<NodePtr>& outputs) {
  if (inputs.empty() || outputs.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "model: found {} inputs and {} outputs, wanted one of each or more",
                    inputs.size(), outputs.size());
  CheckGiven(inputs);
  for (const NodePtr& output : outputs) CheckOutput(output);
  const Walk walk(outputs);
  CheckInputs(walk.nodes(), inputs);
  const std::map<const Node*, int> depths = DepthsOf(walk.nodes());
  std::vector<NodePtr> nodes = walk.nodes();
  const auto key = [&](const NodePtr& node) { return std::tuple(-depths.at(node.get()), walk.Rank(node)); };
  std::stable_sort(nodes.begin(), nodes.end(), [&](const NodePtr& a, const NodePtr& b) { return key(a) < key(b); });
  if (!IsInput(*nodes.front()))  // constants may stand further away from the outputs
    std::stable_partition(nodes.begin(), nodes.end(), [](const NodePtr& node) { return IsInput(*node); });
  return nodes;
}

std::string AutomaticName(const LayerState& layer, const std::vector<NodePtr>& nodes) {
  std::set<std::string> taken;
  for (const NodePtr& node : nodes) taken.insert(node->layer->name);
  if (dynamic_cast<const InputLayer*>(&layer) == nullptr) return FreeName(SnakeCase(layer.ClassName()), taken);
  for (int i = 1;; ++i)  // Keras 2 counts inputs from one
    if (std::string name = "input_" + std::to_string(i); !taken.contains(name)) return name;
}

void LowerNodes(const std::vector<NodePtr>& nodes, Graph& graph, std::map<const Node*, int>& values) {
  for (const NodePtr& node : nodes) {
    std::vector<int> inputs;
    for (const NodePtr& input : node->inputs) inputs.push_back(values.at(input.get()));
    if (!IsOperation(*node->layer)) {
      // Operations give float32 under any policy where they must; a layer reads the policy's type, as in Keras.
      GraphBuilder build(graph, node->layer->Label());
      for (int& input : inputs) input = build.Cast(input, std::nullopt);
    }
    values[node.get()] = node->layer->Lower(graph, inputs);
  }
}

void NameLayers(const std::vector<NodePtr>& nodes) {
  std::set<const LayerState*> layers;
  std::set<std::string> taken;
  for (const NodePtr& node : nodes) {
    const LayerState& layer = *node->layer;
    if (!layers.insert(&layer).second || layer.name.empty()) continue;
    if (!taken.insert(layer.name).second)
      throw MakeError(ErrorCode::kInvalidArgument, "model: found two layers named \"{}\", wanted unique names",
                      layer.name);
  }
  for (const NodePtr& node : nodes) {
    LayerState& layer = *node->layer;
    if (layer.name.empty()) layer.name = AutomaticName(layer, nodes);
    NameWeights(layer);
  }
}

}  // namespace headrace::keras::internal
