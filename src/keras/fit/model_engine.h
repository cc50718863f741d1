// How the methods of Model reach the engine.
#pragma once

#include "headrace/keras.h"

#include "keras/engine.h"

namespace headrace::keras::internal {

// The model's engine, made when there is none yet.
Engine& EngineOf(ModelState& state);
// The same for what needs a loss; throws kFailedPrecondition naming `call` when the model is not compiled.
Engine& CompiledEngineOf(ModelState& state, const char* call);

// Throws kInvalidArgument unless x and y have the same number of rows, and not 0.
void CheckRows(const Tensor& x, const Tensor& y);

// Loss and metrics of one batch.
Logs MeansOf(const BatchResult& batch, const std::vector<std::string>& metrics);

}  // namespace headrace::keras::internal
