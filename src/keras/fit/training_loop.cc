#include "keras/fit/training_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/core.h>

#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/console.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {
namespace {

// One run of fit(): an epoch after the other until the last one, or until somebody stops it.
class Run {
 public:
  Run(const Training& training, const Display& display)
      : training_(training), display_(display), target_(training.data->steps()) {}

  History Go() {
    *training_.stop = false;
    CheckCallbacks();
    for (const CallbackPtr& callback : training_.callbacks) callback->on_train_begin();
    // Behind on_train_begin(), where callbacks forget what they knew.
    if (!training_.callback_states.empty()) RestoreCallbackStates(training_.callback_states, training_.callbacks);
    if (GradientExchange* exchange = Exchange())
      exchange->BeginTraining({.initial_epoch = training_.initial_epoch,
                               .epochs = training_.epochs,
                               .initial_step = training_.initial_step,
                               .steps_per_epoch = training_.steps_per_epoch});
    for (int epoch = training_.initial_epoch; epoch < training_.epochs && !*training_.stop; ++epoch) Epoch(epoch);
    if (training_.finalize) training_.finalize();
    for (const CallbackPtr& callback : training_.callbacks) callback->on_train_end();
    return std::move(history_);
  }

 private:
  GradientExchange* Exchange() const { return training_.exchange ? training_.exchange() : nullptr; }

  // What callbacks read from the logs of an epoch: better an error now than behind the first.
  void CheckCallbacks() const {
    Logs logs;
    RunningResults results(training_.columns);
    results.WriteTo(logs);
    if (training_.validation != nullptr) results.WriteTo(logs, "val_");
    const ExpectedLogs expected = ExpectLogs(std::move(logs), training_.callbacks);
    for (const CallbackPtr& callback : training_.callbacks)
      if (const auto* built_in = dynamic_cast<const BuiltInCallback*>(callback.get())) built_in->CheckLogs(expected);
  }

  void Epoch(int epoch) {
    if (training_.verbose > 0) display_.write(fmt::format("Epoch {}/{}\n", epoch + 1, training_.epochs));
    for (const CallbackPtr& callback : training_.callbacks) callback->on_epoch_begin(epoch);
    Progbar bar = display_.Bar(target_, training_.verbose);
    RunningResults results(training_.columns);
    const int64_t first = epoch == training_.initial_epoch ? training_.initial_step : 0;
    training_.data->StartEpoch(epoch, first);
    const int64_t steps = Batches(epoch, first, results, bar);
    WaitForOtherRanks(epoch, steps);
    if (training_.data->RanOut()) SayDataRanOut(epoch, steps);
    if (steps == first) return;  // nothing to report
    target_ = steps;

    Logs logs;
    results.WriteTo(logs);
    if (training_.validation != nullptr) Validate(logs);
    for (const CallbackPtr& callback : training_.callbacks) callback->on_epoch_end(epoch, logs);
    Record(epoch, logs);
    // Behind the callbacks, so that what they added (learning_rate) is shown as well.
    bar.Update(steps, logs, true);
    if (GradientExchange* exchange = Exchange()) *training_.stop = exchange->AnyStops(*training_.stop);
  }

  // An epoch ends for all ranks together: those whose data ended earlier take part in the others' steps.
  void WaitForOtherRanks(int epoch, int64_t steps) const {
    const GradientExchange* exchange = Exchange();
    if (exchange == nullptr) return;
    if (steps == 0)  // those before initial_step count
      throw MakeError(ErrorCode::kInvalidArgument,
                      "fit: rank {} has no batch in epoch {}, wanted at least one on every rank: fewer ranks, smaller "
                      "batches, or shard() over more records",
                      exchange->rank(), epoch + 1);
    while (training_.train_without_batch()) {
    }
  }

  // Returns the number of steps, those before the first one included.
  int64_t Batches(int epoch, int64_t first, RunningResults& results, Progbar& bar) {
    Logs logs;
    int64_t step = first;
    while (!*training_.stop) {
      const auto batch = training_.data->Next();
      if (!batch) break;
      for (const CallbackPtr& callback : training_.callbacks) callback->on_train_batch_begin(static_cast<int>(step));
      const BatchResult result = training_.train(*batch);
      if (!std::isfinite(result.loss)) SayLossIsNotFinite(epoch, step, result.loss);
      results.Add(result);
      results.WriteTo(logs);
      for (const CallbackPtr& callback : training_.callbacks) {
        callback->on_train_batch_end(static_cast<int>(step), logs);
      }
      // The last step is shown with the epoch's validation.
      if (++step != target_) bar.Update(step, logs);
    }
    return step;
  }

  void Validate(Logs& logs) {
    for (const CallbackPtr& callback : training_.callbacks) callback->on_test_begin();
    RunEvaluation({training_.test, training_.columns, 0, training_.validation}, display_, logs, "val_");
    for (const CallbackPtr& callback : training_.callbacks) callback->on_test_end(logs);
  }

  void Record(int epoch, const Logs& logs) {
    history_.epoch.push_back(epoch);
    for (const auto& [name, value] : logs) {
      auto& columns = history_.history;
      auto column = columns.begin();
      while (column != columns.end() && column->first != name) ++column;
      if (column == columns.end()) column = columns.insert(column, {name, {}});
      column->second.push_back(value);
    }
  }

  void SayDataRanOut(int epoch, int64_t steps) {
    *training_.stop = true;
    Warn(
        fmt::format("fit: the data ended in epoch {} after {} of {} batches; training stops. Datasets go on for ever "
                    "with repeat()",
                    epoch + 1, steps, training_.data->steps()));
  }

  void SayLossIsNotFinite(int epoch, int64_t step, double loss) {
    if (std::exchange(said_not_finite_, true)) return;
    Warn(
        fmt::format("fit: the loss is {} in epoch {}, batch {}; training goes on, but what it learnt is likely lost. "
                    "Try a lower learning rate; the callback TerminateOnNaN stops here",
                    std::isnan(loss) ? "nan" : "infinite", epoch + 1, step + 1));
  }

  void Warn(const std::string& text) {
    if (display_.terminal && training_.verbose == 1) display_.write("\n");  // the bar's line ends here
    display_.warn(text);
  }

  const Training& training_;
  const Display& display_;
  int64_t target_;  // steps of an epoch, 0 while unknown
  History history_;
  bool said_not_finite_ = false;
};

}  // namespace

Display Display::Process() {
  return {.terminal = PrintsToTerminal(), .now = SteadySeconds, .write = internal::Print, .warn = internal::Warn};
}

Progbar Display::Bar(int64_t target, int verbose) const {
  return Progbar({.target = target, .verbose = verbose, .terminal = terminal, .now = now, .write = write});
}

LogColumns ColumnsOf(const ModelState& model) {
  const Compiled& compiled = *model.compiled;
  LogColumns columns;
  for (size_t i = 0; i < model.outputs.size(); ++i)
    if (compiled.losses[i]) columns.losses.push_back(model.outputs[i]->layer->name + "_loss");
  if (columns.losses.size() < 2) columns.losses.clear();
  for (const Column& column : compiled.columns)
    columns.metrics.push_back({column.name, column.metric.state()->accumulate});
  return columns;
}

RunningResults::RunningResults(const LogColumns& columns) : columns_(columns), losses_(columns.losses.size()) {
  for (const auto& metric : columns.metrics) metrics_.push_back(metric.accumulate());
}

void RunningResults::Add(const BatchResult& batch) {
  rows_ += batch.rows;
  loss_ += batch.loss;
  // A callback may compile the model again, with fewer of them.
  for (size_t i = 0; i < std::min(losses_.size(), batch.losses.size()); ++i) losses_[i] += batch.losses[i];
  for (size_t i = 0; i < std::min(metrics_.size(), batch.metrics.size()); ++i) metrics_[i]->Add(batch.metrics[i]);
}

void RunningResults::WriteTo(Logs& logs, const std::string& prefix) const {
  const auto rows = static_cast<double>(rows_);
  logs.Set(prefix + "loss", loss_ / rows);
  for (size_t i = 0; i < losses_.size(); ++i) logs.Set(prefix + columns_.losses[i], losses_[i] / rows);
  for (size_t i = 0; i < metrics_.size(); ++i) logs.Set(prefix + columns_.metrics[i].name, metrics_[i]->Result());
}

History RunTraining(const Training& training, const Display& display) { return Run(training, display).Go(); }

void RunEvaluation(const Evaluation& evaluation, const Display& display, Logs& logs, const std::string& prefix) {
  BatchStream& data = *evaluation.data;
  Progbar bar = display.Bar(data.steps(), evaluation.verbose);
  RunningResults results(evaluation.columns);
  data.Rewind();
  int64_t steps = 0;
  while (const auto batch = data.Next()) {
    results.Add(evaluation.test(*batch));
    results.WriteTo(logs, prefix);
    if (++steps != data.steps()) bar.Update(steps, logs);
  }
  bar.Update(steps, logs, true);
  if (data.RanOut()) {
    display.warn(fmt::format("evaluate: the data ended after {} of {} batches", steps, data.steps()));
  }
}

}  // namespace headrace::keras::internal
