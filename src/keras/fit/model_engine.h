// How the methods of Model reach the engine.
#pragma once

#include <exception>
#include <map>
#include <vector>

#include "headrace/data.h"
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

// The components of a dataset's elements: inputs, targets, and the weights where they are defined. Throws
// kInvalidArgument unless the model has as many inputs and outputs, and all have the same number of rows, and not 0.
std::vector<Tensor> Components(const ModelState& state, const char* call, const std::vector<Tensor>& x,
                               const std::vector<Tensor>& y, const Tensor& sample_weight);

// Before evaluate() or predict() calls them; throws kInvalidArgument for a null pointer.
void GiveModel(Model& model, const char* call, const std::vector<CallbackPtr>& callbacks);

// Loss and metrics of one batch.
Logs LogsOf(const BatchResult& batch, const ModelState& state);

// By class, or none.
using ClassWeights = std::map<int64_t, float>;

// An element of a dataset as the model takes it: its inputs, its targets, and weights of the samples where there are
// some: one tensor for all outputs, or one for each. class_weight: weights by the targets' class instead.
Batch BatchOf(const ModelState& state, const data::Element& element, const ClassWeights& class_weight);

}  // namespace headrace::keras::internal
