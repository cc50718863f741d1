#include <algorithm>

#include "keras/hdf5/model_config.h"

namespace headrace::keras::internal::hdf5 {
namespace {

using nlohmann::json;

json LayerJson(const LayerState& layer, const std::string& policy) {
  json config = layer.Config();
  config["name"] = layer.name;
  config["trainable"] = layer.trainable;
  config["dtype"] = policy;
  return {{"class_name", layer.ClassName()}, {"config", std::move(config)}};
}

json InputJson(const LayerState& layer) {
  json config = layer.Config();
  config["name"] = layer.name;
  config["dtype"] = "float32";
  return {{"class_name", layer.ClassName()}, {"config", std::move(config)}};
}

// [layer, number of the call, number of the output]
json Reference(const ModelState& state, const Node& node) {
  int call = 0;
  for (const auto& other : state.nodes) {
    if (other.get() == &node) break;
    if (other->layer == node.layer) ++call;
  }
  return {node.layer->name, call, 0};
}

// For each call of the layer the list of its inputs, each a reference with the call's (empty) keyword arguments.
json InboundNodes(const ModelState& state, const LayerState& layer) {
  json calls = json::array();
  for (const auto& node : state.nodes) {
    if (node->layer.get() != &layer) continue;
    json inputs = json::array();
    for (const auto& input : node->inputs) {
      inputs.push_back(Reference(state, *input));
      inputs.back().push_back(json::object());
    }
    calls.push_back(std::move(inputs));
  }
  return calls;
}

json SequentialJson(const ModelState& state, const std::string& policy) {
  json layers = json::array({InputJson(*state.input()->layer)});
  for (const auto& layer : state.Layers()) layers.push_back(LayerJson(*layer, policy));
  return {{"class_name", "Sequential"}, {"config", {{"name", state.name}, {"layers", std::move(layers)}}}};
}

json FunctionalJson(const ModelState& state, const std::string& policy) {
  json layers = json::array();
  for (const auto& input : state.inputs) {
    layers.push_back(InputJson(*input->layer));
    layers.back()["name"] = input->layer->name;
    layers.back()["inbound_nodes"] = json::array();
  }
  const auto references = [&](const std::vector<std::shared_ptr<Node>>& nodes) {
    json list = json::array();
    for (const auto& node : nodes) list.push_back(Reference(state, *node));
    return list;
  };
  for (const auto& layer : state.Layers()) {
    layers.push_back(LayerJson(*layer, policy));
    layers.back()["name"] = layer->name;
    layers.back()["inbound_nodes"] = InboundNodes(state, *layer);
  }
  return {{"class_name", "Functional"},
          {"config",
           {{"name", state.name},
            {"trainable", true},
            {"layers", std::move(layers)},
            {"input_layers", references(state.inputs)},
            {"output_layers", references(state.outputs)}}}};
}

}  // namespace

json ModelConfig(const ModelState& state) {
  const std::string policy = state.compiled ? state.compiled->options.policy : "float32";
  return state.sequential ? SequentialJson(state, policy) : FunctionalJson(state, policy);
}

}  // namespace headrace::keras::internal::hdf5
