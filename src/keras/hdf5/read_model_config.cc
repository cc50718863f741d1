#include <map>
#include <utility>

#include "base/result.h"
#include "keras/hdf5/model_config.h"
#include "keras/model_build.h"

namespace headrace::keras::internal::hdf5 {
namespace {

using nlohmann::json;
using NodePtr = std::shared_ptr<Node>;

std::shared_ptr<LayerState> LayerFromJson(const json& layer) {
  return LayerFromConfig(layer.at("class_name").get<std::string>(), layer.at("config"));
}

// Graphs are walked, copied and freed by functions that call themselves; no model of Keras comes near these.
constexpr size_t kMostLayers = 5000, kMostCalls = 20000;
constexpr int kMostNesting = 100;

const json& LayersOf(const json& config) {
  const json& layers = config.is_array() ? config : config.at("layers");
  if (layers.size() > kMostLayers)
    throw MakeError(ErrorCode::kInvalidArgument, "model: found {} layers, wanted at most {}", layers.size(),
                    kMostLayers);
  return layers;
}

// "build_input_shape": Keras 3 writes it; it is all there is when the first layer does not say its input.
Shape BuildInputShape(const json& config) {
  std::vector<int64_t> dims;
  if (config.is_object() && config.contains("build_input_shape") && config["build_input_shape"].is_array())
    for (size_t i = 1; i < config["build_input_shape"].size(); ++i)
      dims.push_back(config["build_input_shape"][i].get<int64_t>());
  return Shape(std::move(dims));
}

Shape WithoutBatch(const Shape& shape) {
  return Shape(std::vector<int64_t>(shape.dims().begin() + 1, shape.dims().end()));
}

void FillSequential(ModelState& state, const json& config) {
  Shape input = BuildInputShape(config);
  std::string input_name;
  for (const json& entry : LayersOf(config)) {
    const auto layer = LayerFromJson(entry);
    if (layer->ClassName() == "InputLayer") {
      input = WithoutBatch(layer->OutputShape({}));
      input_name = layer->name;
      continue;
    }
    if (state.nodes.empty() && layer->input_shape.rank() == 0) layer->input_shape = input;
    AppendLayer(state, layer);
  }
  if (state.nodes.empty()) throw MakeError(ErrorCode::kInvalidArgument, "model {}: found no layers", state.name);
  if (!input_name.empty()) state.input()->layer->name = input_name;
}

// A call's place: layer and number.
using Place = std::pair<std::string, int>;

Place PlaceFromJson(const json& reference) { return {reference.at(0).get<std::string>(), reference.at(1).get<int>()}; }

// Keras 3: {"args": […], "kwargs": {}} with tensors anywhere inside the arguments.
void CollectTensors(const json& value, std::vector<Place>& places, int nesting = 0) {
  if (nesting > kMostNesting)
    throw MakeError(ErrorCode::kInvalidArgument, "model: a layer's arguments are nested more than {} deep",
                    kMostNesting);
  if (value.is_array()) {
    for (const json& element : value) CollectTensors(element, places, nesting + 1);
  } else if (value.is_object() && value.value("class_name", "") == "__keras_tensor__") {
    places.push_back(PlaceFromJson(value.at("config").at("keras_history")));
  }
}

// Keras 2: [[layer, call, output, {}], …].
std::vector<Place> InputsOfCall(const json& call) {
  std::vector<Place> places;
  if (call.is_object()) {
    CollectTensors(call.at("args"), places);
  } else {
    for (const json& input : call) places.push_back(PlaceFromJson(input));
  }
  return places;
}

// Rebuilds a graph call by call; layers may be listed in any order.
class GraphReader {
 public:
  explicit GraphReader(const json& config) {
    for (const json& entry : LayersOf(config)) AddLayer(entry);
    while (!pending_.empty())
      if (!Step())
        throw MakeError(ErrorCode::kInvalidArgument, "layer {}: its inputs are not in the model, or go in a circle",
                        pending_.begin()->first.first);
  }

  // One reference, or a list of them.
  std::vector<NodePtr> At(const json& references, const char* what) const {
    const bool nested = !references.empty() && references.at(0).is_array();
    std::vector<NodePtr> nodes;
    for (const json& reference : nested ? references : json::array({references})) {
      const Place place = PlaceFromJson(reference);
      const auto found = made_.find(place);
      if (found == made_.end())
        throw MakeError(ErrorCode::kInvalidArgument, "model: {}: no layer \"{}\" is called", what, place.first);
      nodes.push_back(found->second);
    }
    return nodes;
  }

 private:
  void AddLayer(const json& entry) {
    const auto layer = LayerFromJson(entry);
    layers_[layer->name] = layer;
    if (layer->ClassName() == "InputLayer") {
      made_[{layer->name, 0}] = std::make_shared<Node>(Node{layer, {}, layer->OutputShape({})});
      return;
    }
    const json& calls = entry.at("inbound_nodes");
    if ((calls_ += calls.size()) > kMostCalls)
      throw MakeError(ErrorCode::kInvalidArgument, "model: found more than {} calls of layers", kMostCalls);
    for (size_t i = 0; i < calls.size(); ++i) pending_[{layer->name, static_cast<int>(i)}] = InputsOfCall(calls.at(i));
  }

  // Makes every call whose inputs exist; false when there is none.
  bool Step() {
    bool progress = false;
    for (auto call = pending_.begin(); call != pending_.end();) {
      std::vector<NodePtr> inputs;
      for (const Place& place : call->second)
        if (const auto found = made_.find(place); found != made_.end()) inputs.push_back(found->second);
      if (inputs.size() != call->second.size()) {
        ++call;
        continue;
      }
      made_[call->first] = Call(layers_.at(call->first.first), std::move(inputs));
      call = pending_.erase(call);
      progress = true;
    }
    return progress;
  }

  size_t calls_ = 0;
  std::map<std::string, std::shared_ptr<LayerState>> layers_;
  std::map<Place, std::vector<Place>> pending_;
  std::map<Place, NodePtr> made_;
};

}  // namespace

std::shared_ptr<ModelState> ModelFromConfig(const json& model, int64_t most_elements) {
  try {
    const std::string class_name = model.at("class_name").get<std::string>();
    const json& config = model.at("config");
    const std::string name = config.is_object() ? config.value("name", "") : "";
    if (class_name == "Sequential") {
      auto state = MakeModelState({.name = name}, true);
      state->most_elements = most_elements;
      FillSequential(*state, config);
      return state;
    }
    if (class_name != "Functional" && class_name != "Model")
      throw MakeError(ErrorCode::kInvalidArgument, "model: found class {}, wanted Sequential or Functional",
                      class_name);
    auto state = MakeModelState({.name = name}, false);
    state->most_elements = most_elements;
    const GraphReader graph(config);
    std::vector<NodePtr> inputs = graph.At(config.at("input_layers"), "input_layers");
    BuildGraph(*state, std::move(inputs), graph.At(config.at("output_layers"), "output_layers"));
    return state;
  } catch (const json::exception& error) {
    throw MakeError(ErrorCode::kInvalidArgument, "model_config cannot be understood: {}", error.what());
  }
}

std::string PolicyFromConfig(const json& model) {
  try {
    for (const json& layer : LayersOf(model.at("config"))) {
      const json& config = layer.at("config");
      if (layer.at("class_name") == "InputLayer" || !config.contains("dtype")) continue;
      const json& dtype = config.at("dtype");
      const json& name = dtype.is_object() ? dtype.at("config").at("name") : dtype;
      return name == "mixed_bfloat16" ? "mixed_bfloat16" : "float32";
    }
  } catch (const json::exception&) {
    // A spelling of some other version: the policy changes speed, not what the weights mean.
  }
  return "float32";
}

}  // namespace headrace::keras::internal::hdf5
