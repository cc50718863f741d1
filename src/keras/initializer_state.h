// InitializerState: what an Initializer handle refers to: a function that fills a weight, and Keras's configuration of
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "headrace/keras/initializers.h"

namespace headrace::keras::internal {

// Which numbers are drawn: those of a seed and a stream, the weight's place in its model.
struct DrawsFrom {
  uint64_t seed = 0, stream = 0;
};

struct InitializerState {
  std::string class_name;  // Keras's, "GlorotUniform"; "" for one of the user's own
  nlohmann::json config;   // Keras's
  std::function<void(Tensor& weight, DrawsFrom from)> fill;
};

// By Keras's name or class, "glorot_uniform" or "GlorotUniform"; null for none.
std::shared_ptr<const InitializerState> FindInitializer(const std::string& name);
std::string KnownInitializers();
// Nothing for a class that is not here. Throws kInvalidArgument for what a class refuses.
std::optional<Initializer> InitializerFromJson(const nlohmann::json& json);

}  // namespace headrace::keras::internal
