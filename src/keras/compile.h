// What compile() checks and fixes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keras/model_state.h"

namespace headrace::keras::internal {

// One loss, or none, and metrics for each output of the model. Throws kInvalidArgument for losses that do not go with
// the outputs and for options that are none.
Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, std::vector<std::optional<Loss>> losses,
                      const std::vector<std::vector<Metric>>& metrics, CompileOptions options);
// Of a model with one output.
Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, Loss loss, const std::vector<Metric>& metrics,
                      CompileOptions options);

// The output that is made by the layer of that name. Throws kInvalidArgument, and lists the names there are.
size_t OutputNamed(const ModelState& model, const char* what, const std::string& name);

}  // namespace headrace::keras::internal
