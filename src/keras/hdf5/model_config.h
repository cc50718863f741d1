// The "model_config" attribute: a model's architecture as Keras's JSON. Written in Keras 2's spelling, which Keras 3's
// legacy loader takes too; read in both.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "keras/model_state.h"

namespace headrace::keras::internal::hdf5 {

nlohmann::json ModelConfig(const ModelState& state);

// The model with fresh weights, of `most_elements` in all: more are refused before there is memory for them, as a file
// that holds the weights itself knows how many there are. Throws kInvalidArgument for layers, settings and graphs that
// this library does not have.
std::shared_ptr<ModelState> ModelFromConfig(const nlohmann::json& config,
                                            int64_t most_elements = std::numeric_limits<int64_t>::max());

// "float32" or "mixed_bfloat16": the first dtype policy among the layers.
std::string PolicyFromConfig(const nlohmann::json& config);

}  // namespace headrace::keras::internal::hdf5
