// Topology: the order of a model's nodes and the names of its layers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "keras/layer_state.h"

namespace headrace::keras::internal {

// The nodes between `inputs` and `outputs` in Keras's order: by falling distance from the outputs, then by the order in
// which a walk from the outputs meets their layers. Weights files that Keras wrote go by the order of layers that
// follows from it. Throws kInvalidArgument when no output depends on one of the inputs, or one depends on another input
// too, and for an output that has not one row a sample.
std::vector<std::shared_ptr<Node>> OrderNodes(const std::vector<std::shared_ptr<Node>>& inputs,
                                              const std::vector<std::shared_ptr<Node>>& outputs);

// "MaxPooling2D" -> "max_pooling2d".
std::string SnakeCase(const std::string& class_name);

// A name for an unnamed layer that joins `nodes`: the first free of "conv2d", "conv2d_1", …; of "input_1", … for an
// input.
std::string AutomaticName(const LayerState& layer, const std::vector<std::shared_ptr<Node>>& nodes);

// Appends the operations of nodes, which come in topological order. `values`: of nodes that have one already; then of
// all.
void LowerNodes(const std::vector<std::shared_ptr<Node>>& nodes, Graph& graph, std::map<const Node*, int>& values);

// Gives each unnamed layer of `nodes` its automatic name, and all weights their full names
// ("conv2d/kernel"). Throws kInvalidArgument when two layers have one name.
void NameLayers(const std::vector<std::shared_ptr<Node>>& nodes);

}  // namespace headrace::keras::internal
