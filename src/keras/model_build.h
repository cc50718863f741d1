// Building models: from a graph, or layer by layer. Both leave a model whose layers are named and whose weights are
// initialised.
#pragma once

#include <memory>

#include "keras/model_state.h"

namespace headrace::keras::internal {

// An empty model with its name and seed.
std::shared_ptr<ModelState> MakeModelState(const ModelOptions& options, bool sequential);

// Fills an empty model with the graph between nodes. Errors: topology.h.
void BuildGraph(ModelState& state, std::vector<std::shared_ptr<Node>> inputs,
                std::vector<std::shared_ptr<Node>> outputs);

// Adds to a chain; the first layer's input_shape makes the input. A compiled model must be compiled again. On an error
// nothing has changed.
void AppendLayer(ModelState& state, const std::shared_ptr<LayerState>& layer);

}  // namespace headrace::keras::internal
