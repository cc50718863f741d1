// ConstraintState: what a Constraint handle refers to: a function that changes a weight, and Keras's configuration of
// it.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "headrace/keras/constraints.h"

namespace headrace::keras::internal {

struct ConstraintState {
  std::string class_name;  // Keras's, "MaxNorm"; "" for one of the user's own
  nlohmann::json config;   // Keras's
  std::function<void(Tensor& weight)> apply;
};

// Keras's {"class_name", "config", …}; null for none, and for one of the user's own.
nlohmann::json ConstraintConfig(const Constraint& constraint);
// Throws kInvalidArgument, naming `what`, for a class that is not here.
Constraint ConstraintFromJson(const std::string& what, const nlohmann::json& json);

}  // namespace headrace::keras::internal
