// Optimize: a graph for inference with fewer steps and the same answers up to rounding. BatchNormalization is folded
// into the convolution or dense layer before it, zero padding into the convolution behind it, ReLU and ReLU6 into the
// convolution that they follow; what no output needs is dropped.
#pragma once

#include "keras/graph.h"

namespace headrace::keras::internal {

// Weights that change are copied: the graph's own variables stay as they are.
Graph Optimize(const Graph& graph);

}  // namespace headrace::keras::internal
