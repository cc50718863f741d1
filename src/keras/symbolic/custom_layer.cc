// Layers of one's own: CustomLayer as a LayerState that lowers what its call() did.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <typeinfo>
#include <utility>

#include <cxxabi.h>
#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "base/result.h"
#include "keras/layer_state.h"
#include "keras/symbolic/operation_layer.h"
#include "keras/symbolic/subgraph.h"
#include "keras/topology.h"

namespace headrace::keras {
namespace internal {

struct CustomLayerParts {
  LayerOptions options;
  std::string class_name;  // "" for the name of the C++ class
  bool building = false;
  std::vector<WeightSpec> specs;
  std::vector<VariablePtr> variables;
  std::vector<KerasTensor> losses;  // of the call that is traced
};

namespace {

// "Linear" of mine::Linear.
std::string NameOfClass(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    [](void* text) { std::free(text); });
  const std::string full = status == 0 ? name.get() : type.name();
  const size_t colon = full.find('<') == std::string::npos ? full.rfind(':') : std::string::npos;
  return colon == std::string::npos ? full : full.substr(colon + 1);
}

// What add_weight() goes by: build() is running, and for no longer.
class Building {
 public:
  explicit Building(CustomLayerParts& parts) : parts_(parts) {
    parts_.specs.clear();  // of a build() that threw
    parts_.variables.clear();
    parts_.building = true;
  }
  ~Building() { parts_.building = false; }
  Building(const Building&) = delete;
  Building& operator=(const Building&) = delete;

 private:
  CustomLayerParts& parts_;
};

using ShapesKey = std::vector<std::vector<int64_t>>;
ShapesKey KeyOf(const std::vector<Shape>& shapes) {
  ShapesKey key;
  for (const Shape& shape : shapes) key.push_back(shape.dims());
  return key;
}

}  // namespace

class CustomLayerState final : public LayerState {
 public:
  explicit CustomLayerState(std::shared_ptr<CustomLayer> layer) : layer_(std::move(layer)) {
    name = parts().options.name;
    input_shape = parts().options.input_shape;
    const CustomLayer& own = *layer_;
    if (parts().class_name.empty()) parts().class_name = NameOfClass(typeid(own));
  }

  std::string ClassName() const override { return parts().class_name; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override { return TraceOf(inputs).shape(); }

  std::vector<WeightSpec> Weights(const std::vector<Shape>& inputs) const override {
    TraceOf(inputs);
    std::vector<WeightSpec> specs;
    for (auto& [spec, variable] : AllWeights()) specs.push_back(std::move(spec));
    return specs;
  }

  std::vector<VariablePtr> MakeVariables(const std::vector<WeightSpec>&) const override {
    std::vector<VariablePtr> variables;
    for (auto& [spec, variable] : AllWeights()) variables.push_back(std::move(variable));
    return variables;
  }

  std::vector<VariablePtr> TrainableWeights() const override {
    if (!trainable) return {};
    std::vector<VariablePtr> variables;
    for (const auto& variable : parts().variables)
      if (variable->trainable) variables.push_back(variable);
    for (const auto& layer : inner_) {
      const auto of_layer = layer->TrainableWeights();
      variables.insert(variables.end(), of_layer.begin(), of_layer.end());
    }
    return variables;
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    std::vector<Shape> shapes;
    for (const int input : inputs) shapes.push_back(graph.values[static_cast<size_t>(input)].shape);
    const std::vector<int> results = TraceOf(shapes).Lower(graph, inputs);
    GraphBuilder build(graph, Label());
    for (size_t i = 1; i < results.size(); ++i) graph.penalties.push_back(build.Cast(results[i], DType::kFloat32));
    return results[0];
  }

  nlohmann::json Config() const override {
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: a layer of one's own is a program's and has no place in a file's architecture: keep the "
                    "weights, save_weights(), and build the model again before load_weights()",
                    Label());
  }

 private:
  CustomLayerParts& parts() const { return *layer_->parts_; }

  // Its own and those of the layers inside, trainable ones first, as Keras keeps them in files. A layer that stands
  // inside twice, in a layer inside, too, has its weights once.
  std::vector<std::pair<WeightSpec, VariablePtr>> AllWeights() const {
    std::vector<std::pair<WeightSpec, VariablePtr>> all;
    const auto add = [&](WeightSpec spec, const VariablePtr& variable) {
      const auto same = [&](const auto& weight) { return weight.second == variable; };
      if (std::none_of(all.begin(), all.end(), same)) all.emplace_back(std::move(spec), variable);
    };
    for (size_t i = 0; i < parts().specs.size(); ++i) add(parts().specs[i], parts().variables[i]);
    for (const auto& layer : inner_)
      for (size_t i = 0; i < layer->specs.size(); ++i) {
        WeightSpec spec = layer->specs[i];
        spec.name = layer->name + "/" + spec.name;
        add(std::move(spec), layer->weights[i]);
      }
    std::stable_partition(all.begin(), all.end(), [](const auto& weight) { return weight.first.trainable; });
    return all;
  }

  void Build(const std::vector<Shape>& shapes) const {
    if (built_) return;
    const Building building(parts());
    if (shapes.size() == 1)
      layer_->build(shapes[0]);
    else
      layer_->build(shapes);
    built_ = true;
  }

  const Subgraph& TraceOf(const std::vector<Shape>& shapes) const {
    const ShapesKey key = KeyOf(shapes);
    const auto found = traces_.find(key);
    if (found != traces_.end()) return found->second;
    Build(shapes);
    std::vector<std::shared_ptr<Node>> inputs;
    std::vector<KerasTensor> arguments;
    for (const Shape& shape : shapes) {
      inputs.push_back(Placeholder(shape));
      arguments.emplace_back(inputs.back());
    }
    parts().losses.clear();
    std::vector<std::shared_ptr<Node>> outputs = {
        (shapes.size() == 1 ? layer_->call(arguments[0]) : layer_->call(arguments)).node()};
    for (const KerasTensor& loss : parts().losses) outputs.push_back(loss.node());
    Subgraph trace(Label(), std::move(inputs), std::move(outputs));
    Adopt(trace.Layers());
    return traces_.emplace(key, std::move(trace)).first->second;
  }

  // The layers inside, which are the same at every call.
  void Adopt(const std::vector<std::shared_ptr<LayerState>>& layers) const {
    for (const auto& layer : layers)
      if (layer->activity_regularizer)
        throw MakeError(ErrorCode::kInvalidArgument,
                        "{}: found an activity_regularizer in its layer {}, wanted add_loss() of the activity", Label(),
                        layer->Label());
    if (traces_.empty()) {
      inner_ = layers;
      NameInner();
    } else if (layers != inner_) {
      throw MakeError(
          ErrorCode::kInvalidArgument,
          "{}: found call() using other layers than before, wanted layers made by the constructor or build()", Label());
    }
  }

  void NameInner() const {
    std::map<std::string, int> taken;
    for (const auto& layer : inner_) {
      if (!layer->name.empty()) continue;
      const std::string base = SnakeCase(layer->ClassName());
      const int count = taken[base]++;
      layer->name = count == 0 ? base : base + "_" + std::to_string(count);
    }
  }

  std::shared_ptr<CustomLayer> layer_;
  mutable bool built_ = false;
  mutable std::map<ShapesKey, Subgraph> traces_;  // by the shapes of the inputs
  mutable std::vector<std::shared_ptr<LayerState>> inner_;
};

std::shared_ptr<LayerState> MakeCustomLayer(std::shared_ptr<CustomLayer> layer) {
  return std::make_shared<CustomLayerState>(std::move(layer));
}

namespace {

class Lambda final : public CustomLayer {
 public:
  Lambda(std::function<KerasTensor(const KerasTensor&)> function, LayerOptions options)
      : CustomLayer(std::move(options)), function_(std::move(function)) {
    if (!function_)
      throw MakeError(ErrorCode::kInvalidArgument, "Lambda: found an empty function, wanted one that can be called");
  }
  KerasTensor call(const KerasTensor& input) override { return function_(input); }

 private:
  std::function<KerasTensor(const KerasTensor&)> function_;
};

}  // namespace
}  // namespace internal

CustomLayer::CustomLayer(LayerOptions options)
    : parts_(std::make_unique<internal::CustomLayerParts>(internal::CustomLayerParts{std::move(options)})) {}
CustomLayer::~CustomLayer() = default;

void CustomLayer::build(const Shape&) {}
void CustomLayer::build(const std::vector<Shape>&) {}

KerasTensor CustomLayer::call(const KerasTensor&) {
  throw MakeError(ErrorCode::kInvalidArgument,
                  "{}: called with one input: its class has no call(const KerasTensor&), which overrides CustomLayer's",
                  parts_->class_name);
}

KerasTensor CustomLayer::call(const std::vector<KerasTensor>& inputs) {
  throw MakeError(ErrorCode::kInvalidArgument,
                  "{}: called with {} inputs: its class has no call(const std::vector<KerasTensor>&), which overrides "
                  "CustomLayer's",
                  parts_->class_name, inputs.size());
}

KerasTensor CustomLayer::add_weight(const std::string& name, const Shape& shape, WeightOptions options) {
  if (!parts_->building)
    throw MakeError(ErrorCode::kFailedPrecondition, "{}: add_weight(\"{}\") outside of build(), wanted in build()",
                    parts_->class_name, name);
  for (const int64_t dim : shape.dims())
    if (dim < 1)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: weight \"{}\": found shape {}, wanted positive sizes",
                      parts_->class_name, name, shape.ToString());
  internal::CheckInitializer(parts_->class_name, options.initializer);
  parts_->variables.push_back(std::make_shared<Variable>(Variable{name, options.trainable, {}, options.constraint}));
  parts_->specs.push_back(
      {name, shape, std::move(options.initializer), options.trainable, options.regularizer, options.constraint});
  return internal::WeightValue(parts_->variables.back(), shape);
}

void CustomLayer::add_loss(const KerasTensor& loss) {
  if (loss.shape().rank() != 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: add_loss(): found a value of shape {}, wanted one number: its mean or sum", parts_->class_name,
                    loss.shape().ToString());
  parts_->losses.push_back(loss);
}

Lambda::Lambda(std::function<KerasTensor(const KerasTensor&)> function, LayerOptions options)
    : Layer(internal::MakeCustomLayer(std::make_shared<internal::Lambda>(std::move(function), std::move(options)))) {}

}  // namespace headrace::keras
