#include <utility>
#include <vector>

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
  BatchStream stream("evaluate: the dataset", data, options.steps, state_->inputs.size(), state_->outputs.size());
  Logs logs;
  internal::GiveModel(*this, "evaluate", options.callbacks);
  for (const CallbackPtr& callback : options.callbacks) callback->on_test_begin();
  const internal::BatchFn test = [&](const data::Element& element) {
    return engine.TestBatch(internal::BatchOf(*state_, element, {}));
  };
  internal::RunEvaluation({.test = test,
                           .columns = internal::ColumnsOf(*state_),
                           .verbose = internal::VerbosityOf(*state_, options.verbose),
                           .data = &stream},
                          internal::Display::Process(), logs);
  for (const CallbackPtr& callback : options.callbacks) callback->on_test_end(logs);
  return logs;
}

Logs Model::evaluate(const Tensor& x, const Tensor& y, EvaluateOptions options) {
  return evaluate(std::vector<Tensor>{x}, std::vector<Tensor>{y}, std::move(options));
}

Logs Model::evaluate(const std::vector<Tensor>& x, const std::vector<Tensor>& y, EvaluateOptions options) {
  std::vector<Tensor> all = internal::Components(*state_, "evaluate", x, y, std::exchange(options.sample_weight, {}));
  return evaluate(data::Dataset::FromTensors(std::move(all)).batch(options.batch_size), options);
}

Logs Model::train_on_batch(const Tensor& x, const Tensor& y) {
  Engine& engine = internal::CompiledEngineOf(*state_, "train_on_batch");
  return internal::TrainTogether(*state_, [&] { return internal::LogsOf(engine.TrainBatch(x, y), *state_); });
}

Logs Model::test_on_batch(const Tensor& x, const Tensor& y) {
  Engine& engine = internal::CompiledEngineOf(*state_, "test_on_batch");
  return internal::LogsOf(engine.TestBatch(x, y), *state_);
}

}  // namespace headrace::keras
