// The "training_config" attribute: what compile() was given, as Keras's JSON.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "keras/model_state.h"

namespace headrace::keras::internal::hdf5 {

nlohmann::json TrainingConfig(const Compiled& compiled);

struct TrainingSettings {
  Optimizer optimizer;
  Loss loss;
  std::vector<Metric> metrics;
};
// Nothing when the configuration names an optimizer, loss, metric or setting that this library does not have: the
// model can then be used, and compiled by hand.
std::optional<TrainingSettings> TrainingFromConfig(const nlohmann::json& config);

}  // namespace headrace::keras::internal::hdf5
