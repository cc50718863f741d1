// What compile() checks and fixes.
#pragma once

#include <vector>

#include "keras/model_state.h"

namespace headrace::keras::internal {

// Throws kInvalidArgument for losses that do not go with the model's outputs and for options that are none.
Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, std::vector<std::optional<Loss>> losses,
                      std::vector<float> loss_weights, std::vector<Column> columns, CompileOptions options);

// Of a model with one output.
Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, Loss loss, const std::vector<Metric>& metrics,
                      CompileOptions options);

}  // namespace headrace::keras::internal
