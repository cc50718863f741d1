#include "keras/layers/config.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/result.h"
#include "keras/initializer_state.h"

namespace headrace::keras::internal {
namespace {

using nlohmann::json;

using Factory = std::shared_ptr<LayerState> (*)(const LayerConfig&);
constexpr std::array<std::pair<const char*, Factory>, 17> kLayers = {{
    {"Activation", ActivationFromConfig},
    {"Add", AddFromConfig},
    {"Average", AverageFromConfig},
    {"BatchNormalization", BatchNormalizationFromConfig},
    {"Concatenate", ConcatenateFromConfig},
    {"Conv2D", Conv2DFromConfig},
    {"Dense", DenseFromConfig},
    {"Dropout", DropoutFromConfig},
    {"Flatten", FlattenFromConfig},
    {"GlobalAveragePooling2D", GlobalAveragePooling2DFromConfig},
    {"InputLayer", InputLayerFromConfig},
    {"MaxPooling2D", MaxPooling2DFromConfig},
    {"Maximum", MaximumFromConfig},
    {"Minimum", MinimumFromConfig},
    {"Multiply", MultiplyFromConfig},
    {"Subtract", SubtractFromConfig},
    {"ZeroPadding2D", ZeroPadding2DFromConfig},
}};

Factory FactoryOf(const std::string& class_name) {
  std::string known;
  for (const auto& [name, factory] : kLayers) {
    if (class_name == name) return factory;
    known += known.empty() ? name : std::string(", ") + name;
  }
  throw MakeError(ErrorCode::kInvalidArgument, "layer class: found \"{}\", wanted one of {}", class_name, known);
}

}  // namespace

LayerConfig::LayerConfig(const json& config) : config_(config), name_(Get<std::string>("name", "")) {}

const json* LayerConfig::Find(const char* key) const {
  const auto found = config_.find(key);
  return found == config_.end() ? nullptr : &*found;
}

Size2D LayerConfig::Size(const char* key, Size2D fallback) const {
  const json* value = Find(key);
  if (value == nullptr || value->is_null()) return fallback;
  if (value->is_number()) return {value->get<int64_t>(), value->get<int64_t>()};
  return value->get<Size2D>();
}

std::string LayerConfig::Activation() const {
  const json* value = Find("activation");
  if (value == nullptr || value->is_null()) return "linear";
  // Keras 3 outside its legacy files: {"module": "builtins", "class_name": "function", "config": "relu"}.
  return value->is_object() ? value->at("config").get<std::string>() : value->get<std::string>();
}

keras::Initializer LayerConfig::Initializer(const char* key, const char* fallback) const {
  const json* value = Find(key);
  if (value == nullptr || value->is_null()) return fallback;
  return InitializerFromJson(*value).value_or(keras::Initializer(fallback));
}

keras::Constraint LayerConfig::Constraint(const char* key) const {
  const json* value = Find(key);
  if (value == nullptr) return {};
  return ConstraintFromJson(name_ + ": " + key, *value);
}

void LayerConfig::Require(const char* key, const json& wanted) const {
  const json* value = Find(key);
  if (value == nullptr || value->is_null() || *value == wanted) return;
  throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, only {} is supported", name_, key, value->dump(),
                  wanted.dump());
}

void LayerConfig::RequireNone(std::initializer_list<const char*> keys) const {
  for (const char* key : keys) Require(key, nullptr);
}

double ShortestDouble(float value) {
  std::array<char, 32> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double shortest = value;
  std::from_chars(text.data(), end, shortest);
  return shortest;
}

Shape InputShapeFromConfig(const LayerConfig& config) {
  const json* found = config.Find("batch_shape");
  if (found == nullptr) found = config.Find("batch_input_shape");
  if (found == nullptr || found->is_null()) return {};
  std::vector<int64_t> dims;
  for (size_t i = 1; i < found->size(); ++i) {
    if (found->at(i).is_null())
      throw MakeError(ErrorCode::kInvalidArgument, "{}: input shape: found {}, wanted all dimensions but the batch",
                      config.name(), found->dump());
    dims.push_back(found->at(i).get<int64_t>());
  }
  return Shape(std::move(dims));
}

std::shared_ptr<LayerState> LayerFromConfig(const std::string& class_name, const json& config) {
  const Factory factory = FactoryOf(class_name);
  try {
    const LayerConfig reader(config);
    std::shared_ptr<LayerState> layer = factory(reader);
    layer->name = reader.name();
    layer->trainable = reader.Get("trainable", true);
    if (class_name != "InputLayer") layer->input_shape = InputShapeFromConfig(reader);
    return layer;
  } catch (const json::exception& error) {
    throw MakeError(ErrorCode::kInvalidArgument, "configuration of a {} layer: {}, found {}", class_name, error.what(),
                    config.dump());
  }
}

}  // namespace headrace::keras::internal
