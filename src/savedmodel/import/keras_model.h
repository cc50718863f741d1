// A Keras model for an imported graph.
#pragma once

#include "headrace/keras.h"

#include "keras/graph.h"

namespace headrace::savedmodel {

// One layer for each operation that the output needs, with the values of its variables. Throws what layers throw.
keras::Model ModelFromGraph(const keras::Graph& graph, const std::string& name);

}  // namespace headrace::savedmodel
