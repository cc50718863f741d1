// Differentiate: the backward pass of a graph, as steps behind the forward ones. From the loss back to the first step
// that trains something, each step either has a backward pass of its own (a BackwardOp, run by the stage that ran
// forwards), or its gradient is operations, which become steps like any others.
#pragma once

#include "keras/graph.h"
#include "keras/plan/fuse.h"
#include "keras/plan/parameters.h"

namespace headrace::keras::internal {

// Appends to both the gradient of value `loss`, a scalar, by the variables that `parameters` trains. All shapes and
// types in the graph are known. What several steps read gets the sum of what they give, the last step's first.
void DifferentiateSteps(Graph& graph, FusedGraph& fused, int loss, const Parameters& parameters);

}  // namespace headrace::keras::internal
