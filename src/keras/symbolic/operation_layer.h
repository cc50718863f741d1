// Operations on symbolic values as nodes of the functional graph: what headrace/ops.h is made of.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "headrace/keras/layer.h"

#include "keras/layer_state.h"
#include "keras/operations/builder.h"

namespace headrace::keras::internal {

// Appends operations to the graph and returns a value.
using BuildOperation = std::function<int(GraphBuilder& build, const std::vector<int>& inputs)>;

// A value made of `inputs`, none of them for a constant. name: of the operation, "matmul". Throws kInvalidArgument for
// shapes that do not fit.
KerasTensor Apply(const char* name, const std::vector<KerasTensor>& inputs, BuildOperation build);

// A weight as a value: of a layer of one's own.
KerasTensor WeightValue(const VariablePtr& variable, const Shape& shape);

// An input of a function that is traced: its shape is known, its value is not.
std::shared_ptr<Node> Placeholder(const Shape& shape);

// Whether the layer belongs into no configuration: what only a function's text could make again.
bool IsOperation(const LayerState& layer);

}  // namespace headrace::keras::internal
