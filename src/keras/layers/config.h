// LayerConfig: reads a layer's Keras configuration (the JSON of model_config), in the spellings of Keras 2 and 3.
// A setting that this library does not implement is refused by name instead of being ignored.
#pragma once

#include <string>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "keras/constraint_state.h"
#include "keras/layer_state.h"

namespace headrace::keras::internal {

class LayerConfig {
 public:
  explicit LayerConfig(const nlohmann::json& config);  // borrowed

  const std::string& name() const { return name_; }
  // The value of `key`, or `fallback` when the key is absent or null.
  template <typename T>
  T Get(const char* key, T fallback) const {
    const auto found = config_.find(key);
    return found == config_.end() || found->is_null() ? fallback : found->template get<T>();
  }
  Size2D Size(const char* key, Size2D fallback) const;  // a number stands for both sides
  std::string Activation() const;                       // "activation", "linear" when there is none
  // Weights in a file replace what it would draw, so one we do not have becomes `fallback`.
  keras::Initializer Initializer(const char* key, const char* fallback) const;
  keras::Regularizer Regularizer(const char* key) const;
  keras::Constraint Constraint(const char* key) const;
  // Throw kInvalidArgument unless the key is absent, null or `wanted`.
  void Require(const char* key, const nlohmann::json& wanted) const;
  void RequireNone(std::initializer_list<const char*> keys) const;
  const nlohmann::json* Find(const char* key) const;  // null when absent

 private:
  const nlohmann::json& config_;
  std::string name_;
};

// What Keras writes for an initializer: {"module", "class_name": "GlorotUniform", "config", "registered_name"}.
nlohmann::json InitializerConfig(const Initializer& initializer);

nlohmann::json RegularizerConfig(const Regularizer& regularizer);  // null for none

// The double that prints as short as the float does: 0.2 for 0.2f, not 0.20000000298.
double ShortestDouble(float value);

// The value of `key`, or `otherwise` when the key is absent or null.
template <typename T = float>
T Number(const nlohmann::json& config, const char* key, std::type_identity_t<T> otherwise) {
  const auto found = config.find(key);
  return found == config.end() || found->is_null() ? otherwise : found->get<T>();
}

// One for each layer class, beside its implementation.
std::shared_ptr<LayerState> ActivationFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> AddFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> AverageFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> ConcatenateFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> MaximumFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> MinimumFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> MultiplyFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> SubtractFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> BatchNormalizationFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> Conv2DFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> DenseFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> DropoutFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> FlattenFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> GlobalAveragePooling2DFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> InputLayerFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> MaxPooling2DFromConfig(const LayerConfig& config);
std::shared_ptr<LayerState> ZeroPadding2DFromConfig(const LayerConfig& config);

// The shape without the batch from "batch_shape" or "batch_input_shape"; throws when a dimension is unknown.
Shape InputShapeFromConfig(const LayerConfig& config);

}  // namespace headrace::keras::internal
