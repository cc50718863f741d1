#include "headrace/data.h"
#include "headrace/keras.h"

#include "keras/fit/model_engine.h"
#include "keras/fit/training_loop.h"
#include "keras/model_state.h"

namespace headrace::keras {

using internal::BatchStream;
using internal::Engine;

Logs Model::evaluate(const data::Dataset& data, EvaluateOptions options) {
  Engine& engine = internal::CompiledEngineOf(*state_, "evaluate");
  BatchStream stream("evaluate: the dataset", data, options.steps);
  Logs logs;
  internal::RunEvaluation({.test = [&engine](const Tensor& x, const Tensor& y) { return engine.TestBatch(x, y); },
                           .metrics = state_->compiled->metrics,
                           .verbose = internal::VerbosityOf(*state_, options.verbose),
                           .data = &stream},
                          internal::Display::Process(), logs);
  return logs;
}

Logs Model::evaluate(const Tensor& x, const Tensor& y, EvaluateOptions options) {
  internal::CheckRows(x, y);
  return evaluate(data::Dataset::FromTensors(x, y).batch(options.batch_size), options);
}

Logs Model::train_on_batch(const Tensor& x, const Tensor& y) {
  Engine& engine = internal::CompiledEngineOf(*state_, "train_on_batch");
  return internal::TrainTogether(*state_,
                                 [&] { return internal::MeansOf(engine.TrainBatch(x, y), state_->compiled->metrics); });
}

Logs Model::test_on_batch(const Tensor& x, const Tensor& y) {
  Engine& engine = internal::CompiledEngineOf(*state_, "test_on_batch");
  return internal::MeansOf(engine.TestBatch(x, y), state_->compiled->metrics);
}

}  // namespace headrace::keras
