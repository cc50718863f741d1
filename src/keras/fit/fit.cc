#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/fit/model_engine.h"
#include "keras/fit/training_loop.h"
#include "keras/model_state.h"
#include "keras/weight_update.h"

namespace headrace::keras {
namespace {

using internal::BatchStream;
using internal::ModelState;

void Check(const FitOptions& options) {
  if (options.initial_epoch < 0) {
    throw MakeError(ErrorCode::kInvalidArgument, "fit: initial_epoch: found {}, wanted 0 or more",
                    options.initial_epoch);
  }
  if (options.initial_step < 0 || (options.steps_per_epoch > 0 && options.initial_step >= options.steps_per_epoch)) {
    throw MakeError(ErrorCode::kInvalidArgument, "fit: initial_step: found {}, wanted 0 or more, below steps_per_epoch",
                    options.initial_step);
  }
  if (options.verbose < 0 || options.verbose > 2) {
    throw MakeError(ErrorCode::kInvalidArgument, "fit: verbose: found {}, wanted 0, 1 or 2", options.verbose);
  }
  if (options.batch_size < 1) {
    throw MakeError(ErrorCode::kInvalidArgument, "fit: batch_size: found {}, wanted 1 or more", options.batch_size);
  }
  for (const CallbackPtr& callback : options.callbacks) {
    if (callback == nullptr) throw MakeError(ErrorCode::kInvalidArgument, "fit: callbacks: found a null pointer");
  }
}

// The order in which fit() calls them: as given, checkpoints last.
std::vector<CallbackPtr> Ordered(std::vector<CallbackPtr> callbacks) {
  std::stable_partition(callbacks.begin(), callbacks.end(), [](const CallbackPtr& callback) {
    return dynamic_cast<const internal::CheckpointCallback*>(callback.get()) == nullptr;
  });
  return callbacks;
}

// Lets save() see the callbacks while they train, and no longer, whatever ends the training.
class CallbacksInState {
 public:
  CallbacksInState(ModelState& state, std::vector<CallbackPtr> callbacks) : state_(state) {
    state_.callbacks = std::move(callbacks);
  }
  ~CallbacksInState() { state_.callbacks.clear(); }
  CallbacksInState(const CallbacksInState&) = delete;
  CallbacksInState& operator=(const CallbacksInState&) = delete;

 private:
  ModelState& state_;
};

// Where a callback restores the model as it was when an earlier fit() was cut off.
void GoOnWhereCutOff(const std::vector<CallbackPtr>& callbacks, FitOptions& options) {
  for (const CallbackPtr& callback : callbacks) {
    auto* restoring = dynamic_cast<internal::RestoringCallback*>(callback.get());
    const auto at = restoring != nullptr ? restoring->Restore() : std::nullopt;
    if (!at) continue;
    options.initial_epoch = at->epoch;
    options.initial_step = at->step;
  }
}

// Rows of x before which the training data ends and the validation data begins.
int64_t SplitAt(const Tensor& x, double validation_split) {
  const int64_t rows = x.dim(0);
  const auto at = static_cast<int64_t>(std::floor(static_cast<double>(rows) * (1 - validation_split)));
  if (validation_split < 0 || at < 1 || at >= rows) {
    throw MakeError(ErrorCode::kInvalidArgument,
                    "fit: validation_split: found {} of {} rows, wanted a fraction that leaves rows on both sides",
                    validation_split, rows);
  }
  return at;
}

}  // namespace

History Model::fit(const data::Dataset& data, FitOptions options) {
  Check(options);
  if (options.sample_weight.defined())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "fit: sample_weight: found one beside a dataset, wanted it in the dataset's elements, behind y");
  ModelState& state = *state_;
  internal::CompiledEngineOf(state, "fit");
  const size_t inputs = state.inputs.size(), outputs = state.outputs.size();
  const CallbacksInState callbacks(state, Ordered(std::move(options.callbacks)));
  for (const CallbackPtr& callback : state.callbacks) callback->set_model(this);
  GoOnWhereCutOff(state.callbacks, options);
  // A run that goes on at a given place sees what an uninterrupted one would; one that does not goes on behind the
  // last.
  const bool resumed = options.initial_epoch > 0 || options.initial_step > 0;
  BatchStream stream("fit: the dataset", data, options.steps_per_epoch, inputs, outputs,
                     resumed ? internal::DataSeen{} : state.data_seen);
  std::optional<BatchStream> validation;
  if (options.validation_data != nullptr) {
    validation.emplace("fit: validation_data", *options.validation_data, options.validation_steps, inputs, outputs);
  }
  for (const CallbackPtr& callback : state.callbacks)
    callback->set_params({.epochs = options.epochs, .steps = stream.steps(), .verbose = options.verbose});
  // What load_weights() found belongs to the run that goes on from there, and to no other.
  std::string callback_states = std::exchange(state.training_state, "");
  if (options.initial_epoch == 0 && options.initial_step == 0) callback_states.clear();

  const internal::Training training{
      // The engine anew each time: a callback may compile the model again, or load weights. So its exchange.
      .train =
          [&](const data::Element& element) {
            return internal::EngineOf(state).TrainBatch(internal::BatchOf(state, element, options.class_weight));
          },
      .test =
          [&](const data::Element& element) {
            return internal::EngineOf(state).TestBatch(internal::BatchOf(state, element, {}));
          },
      .columns = internal::ColumnsOf(state),
      .epochs = options.epochs,
      .initial_epoch = options.initial_epoch,
      .verbose = internal::VerbosityOf(state, options.verbose),
      .initial_step = options.initial_step,
      .steps_per_epoch = options.steps_per_epoch,
      .exchange = [&state] { return state.exchange(); },
      .train_without_batch = [&state] { return internal::EngineOf(state).TrainWithoutBatch(); },
      .callbacks = state.callbacks,
      .finalize =
          [&state] {
            internal::OptimizerState& optimizer = *state.compiled->optimizer.state();
            internal::FinalizeWithAverages(optimizer, state.compiled->trainable);
          },
      .callback_states = std::move(callback_states),
      .data = &stream,
      .validation = validation ? &*validation : nullptr,
      .stop = &stop_training};
  return internal::TrainTogether(state, [&] {
    History history = internal::RunTraining(training, internal::Display::Process());
    state.data_seen = stream.seen();
    return history;
  });
}

History Model::fit(const Tensor& x, const Tensor& y, FitOptions options) {
  return fit(std::vector<Tensor>{x}, std::vector<Tensor>{y}, std::move(options));
}

History Model::fit(const std::vector<Tensor>& x, const std::vector<Tensor>& y, FitOptions options) {
  Check(options);
  std::vector<Tensor> all = internal::Components(*state_, "fit", x, y, std::exchange(options.sample_weight, {}));
  const bool split = options.validation_split != 0 && options.validation_data == nullptr;
  const int64_t rows = split ? SplitAt(all[0], options.validation_split) : all[0].dim(0);
  const auto part = [&](int64_t begin, int64_t end) {
    std::vector<Tensor> components;
    for (const Tensor& component : all) components.push_back(component.Slice(begin, end));
    return data::Dataset::FromTensors(std::move(components));
  };
  auto train = part(0, rows);
  if (options.shuffle) train = train.shuffle(rows, {.seed = state_->seed});
  std::optional<data::Dataset> validation;
  if (split) {
    validation = part(rows, all[0].dim(0)).batch(options.batch_size);
    options.validation_data = &*validation;
  }
  return fit(train.batch(options.batch_size), std::move(options));
}

}  // namespace headrace::keras
