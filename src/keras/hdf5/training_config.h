// The "training_config" attribute: what compile() was given, as Keras's JSON.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "keras/model_state.h"

namespace headrace::keras::internal::hdf5 {

nlohmann::json TrainingConfig(const Compiled& compiled);

// Whether the configuration is of an optimizer of this class.
bool IsOfOptimizer(const nlohmann::json& config, const OptimizerState& optimizer);

struct TrainingSettings {
  Optimizer optimizer;
  std::optional<Loss> loss;  // none where there are several, or one that this library does not have
  std::vector<Metric> metrics;
};
// Nothing when the configuration names an optimizer, metric or setting that this library does not have: the model can
// then be used, and compiled by hand. Metrics are kept by name: weighted ones and those with options are not, nor are
// loss_weights.
std::optional<TrainingSettings> TrainingFromConfig(const nlohmann::json& config);

}  // namespace headrace::keras::internal::hdf5
