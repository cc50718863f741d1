// How the methods of Model reach the engine.
#pragma once

#include <exception>

#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {

// The model's engine, made when there is none yet.
Engine& EngineOf(ModelState& state);
// The same for what needs a loss; throws kFailedPrecondition naming `call` when the model is not compiled.
Engine& CompiledEngineOf(ModelState& state, const char* call);

// What fit() and evaluate() print: of several ranks the first one alone does.
int VerbosityOf(const ModelState& state, int verbose);

// Runs what trains the model; where it throws, the training of all ranks ends with the same message.
template <typename Train>
auto TrainTogether(ModelState& state, const Train& train) {
  try {
    return train();
  } catch (const std::exception& error) {
    if (GradientExchange* exchange = state.exchange()) exchange->Abort(error.what());
    throw;
  }
}

// Throws kInvalidArgument unless x and y have the same number of rows, and not 0.
void CheckRows(const Tensor& x, const Tensor& y);

// Loss and metrics of one batch.
Logs MeansOf(const BatchResult& batch, const std::vector<std::string>& metrics);

}  // namespace headrace::keras::internal
