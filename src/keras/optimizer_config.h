// Optimizers as Keras's configurations: {"class_name", "config"}.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "keras/optimizer_state.h"

namespace headrace::keras::internal {

nlohmann::json OptimizerConfig(const OptimizerState& state);
// Whether the rate is a function of the user's own: the configuration has the rate of now instead.
bool RateIsAFunction(const OptimizerState& state);

// "Custom>Adam" -> "adam"
std::string OptimizerClass(const nlohmann::json& optimizer);
// Nothing for an optimizer, a schedule or a setting that is not here. Throws Error for values that the optimizer
// refuses, json::exception for what is no configuration.
std::optional<Optimizer> OptimizerFromConfig(const nlohmann::json& optimizer);

}  // namespace headrace::keras::internal
