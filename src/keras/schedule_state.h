// ScheduleState: what a LearningRateSchedule handle refers to: a function of the step, and Keras's configuration of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "headrace/keras/schedules.h"

namespace headrace::keras::internal {

struct ScheduleState {
  std::string class_name;  // Keras's, "CosineDecay"; "" for one of the user's own
  nlohmann::json config;   // Keras's
  std::function<float(int64_t step)> rate;
};

// Keras's {"class_name", "config", …}; null for one of the user's own.
nlohmann::json ScheduleJson(const LearningRateSchedule& schedule);
// Nothing for a class that is not here. Throws kInvalidArgument for what a class refuses, json::exception for what is
// no configuration.
std::optional<LearningRateSchedule> ScheduleFromJson(const nlohmann::json& json);

}  // namespace headrace::keras::internal
