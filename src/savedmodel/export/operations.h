// Our graph's operations as TensorFlow nodes, in inference form.
#pragma once

#include <string>

#include "keras/graph.h"
#include "savedmodel/export/graph_writer.h"
#include "savedmodel/export/variables.h"

namespace headrace::savedmodel {

// Adds nodes for all values of `graph` and returns the node of its output. `input` is the node of the graph's input.
std::string WriteOperations(const keras::Graph& graph, const std::string& input, GraphWriter& writer,
                            VariableWriter& variables);

}  // namespace headrace::savedmodel
