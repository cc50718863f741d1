// LearningRateScheduleCallback and LearningRateWarmupCallback: formulas, rules and messages of Horovod's
// _keras/callbacks.py.
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.h"
#include "horovod/keras/callbacks.h"
#include "keras/callbacks/callbacks.h"
#include "keras/console.h"
#include "keras/optimizer_state.h"

namespace headrace::hvd {
namespace {

using callbacks::LearningRateScheduleOptions;
using callbacks::LearningRateWarmupOptions;

class ScheduleCallback : public keras::internal::BuiltInCallback {
 public:
  ScheduleCallback(const char* name, std::function<double(double)> multiplier, LearningRateScheduleOptions options)
      : name_(name), multiplier_(std::move(multiplier)), options_(std::move(options)) {
    if (options_.steps_per_epoch < 0)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: steps_per_epoch: found {}, wanted 1 or more, or 0 for fit()'s",
                      name_, options_.steps_per_epoch);
  }

  void on_train_begin() override {
    RequireSettableRate(optimizer(), name_);
    if (!options_.initial_lr) options_.initial_lr = optimizer().learning_rate;
    steps_per_epoch_ = options_.steps_per_epoch != 0 ? options_.steps_per_epoch : params().steps;
    if (!options_.staircase && steps_per_epoch_ == 0)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: could not autodetect the number of steps per epoch: give it, or fit() its steps_per_epoch",
                      name_);
  }

  void on_epoch_begin(int epoch) override { epoch_ = epoch; }

  void on_train_batch_begin(int batch) override {
    if (epoch_ < options_.start_epoch || (options_.end_epoch && epoch_ >= *options_.end_epoch)) return;
    if (!options_.staircase)
      Adjust(epoch_ + static_cast<double>(batch) / static_cast<double>(steps_per_epoch_));
    else if (batch == 0)
      Adjust(epoch_);
  }

  void on_train_batch_end(int /*batch*/, keras::Logs& /*logs*/) override {
    if (momentum_) optimizer().momentum = *std::exchange(momentum_, std::nullopt);
  }

  void on_epoch_end(int /*epoch*/, keras::Logs& logs) override { logs.Set("lr", optimizer().learning_rate); }
  std::optional<std::vector<std::string>> AddedLogs() const override { return std::vector<std::string>{"lr"}; }

  // So that a run that goes on multiplies the rate the first run began with.
  std::string state() const override { return options_.initial_lr ? fmt::format("{}", *options_.initial_lr) : ""; }
  void restore_state(const std::string& state) override {
    float rate = 0;
    const auto [end, error] = std::from_chars(state.data(), state.data() + state.size(), rate);
    if (error != std::errc() || end != state.data() + state.size())
      throw MakeError(ErrorCode::kDataLoss, "{}: found the state \"{}\" in the checkpoint, wanted a learning rate",
                      name_, state);
    if (!given_) options_.initial_lr = rate;
  }

 protected:
  keras::internal::OptimizerState& optimizer() const { return *model().optimizer().state(); }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }

 private:
  void Adjust(double epoch) {
    keras::internal::OptimizerState& o = optimizer();
    const double old_rate = o.learning_rate, rate = *options_.initial_lr * multiplier_(epoch);
    o.learning_rate = static_cast<float>(rate);
    if (!options_.momentum_correction || o.momentum == 0 || old_rate == 0) return;
    momentum_ = o.momentum;
    o.momentum = static_cast<float>(o.momentum * rate / old_rate);
  }

  const char* name_;
  std::function<double(double)> multiplier_;
  LearningRateScheduleOptions options_;
  const bool given_ = options_.initial_lr.has_value();
  int64_t steps_per_epoch_ = 0;
  int epoch_ = 0;
  std::optional<float> momentum_;  // to be restored behind the batch
};

class WarmupCallback final : public ScheduleCallback {
 public:
  WarmupCallback(const Place& place, const LearningRateWarmupOptions& options)
      : ScheduleCallback("LearningRateWarmupCallback",
                         [this, size = place.size, epochs = options.warmup_epochs](double epoch) {
                           // So that the rate is whole at the end of an epoch, not behind it.
                           epoch += 1.0 / static_cast<double>(steps_per_epoch());
                           return 1.0 / size * (epoch * (size - 1) / epochs + 1);
                         },
                         {.initial_lr = options.initial_lr,
                          .end_epoch = options.warmup_epochs,
                          .staircase = false,
                          .momentum_correction = options.momentum_correction,
                          .steps_per_epoch = options.steps_per_epoch}),
        last_epoch_(options.warmup_epochs - 1),
        prints_(options.verbose > 0 && place.rank == 0) {}

  void on_epoch_end(int epoch, keras::Logs& logs) override {
    ScheduleCallback::on_epoch_end(epoch, logs);
    if (epoch != last_epoch_ || !prints_) return;
    keras::internal::Print(fmt::format("\nEpoch {}: finished gradual learning rate warmup to {:g}.\n", epoch + 1,
                                       optimizer().learning_rate));
  }

 private:
  const int last_epoch_;
  const bool prints_;
};

}  // namespace

keras::CallbackPtr MakeScheduleCallback(std::function<double(double)> multiplier, LearningRateScheduleOptions options) {
  return std::make_shared<ScheduleCallback>("LearningRateScheduleCallback", std::move(multiplier), std::move(options));
}

keras::CallbackPtr MakeWarmupCallback(const Place& place, LearningRateWarmupOptions options) {
  if (options.warmup_epochs < 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "LearningRateWarmupCallback: warmup_epochs: found {}, wanted 1 or more", options.warmup_epochs);
  return std::make_shared<WarmupCallback>(place, options);
}

}  // namespace headrace::hvd
