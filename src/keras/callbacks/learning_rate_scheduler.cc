#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "headrace/keras.h"

#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/callbacks/python_format.h"
#include "keras/console.h"
#include "keras/optimizer_state.h"

namespace headrace::keras {
namespace {

class Scheduler final : public internal::BuiltInCallback {
 public:
  Scheduler(std::function<double(int, double)> schedule, int verbose)
      : schedule_(std::move(schedule)), verbose_(verbose) {
    if (!schedule_) throw MakeError(ErrorCode::kInvalidArgument, "LearningRateScheduler: found an empty function");
  }

  void on_train_begin() override {
    internal::RequireSettableRate(*model().optimizer().state(), "LearningRateScheduler");
  }

  void on_epoch_begin(int epoch) override {
    Optimizer optimizer = model().optimizer();
    const double rate = schedule_(epoch, optimizer.learning_rate());
    optimizer.set_learning_rate(static_cast<float>(rate));
    if (verbose_ > 0)
      internal::Print(fmt::format("\nEpoch {}: LearningRateScheduler setting learning rate to {}.\n", epoch + 1,
                                  internal::PythonRepr(rate)));
  }

  void on_epoch_end(int /*epoch*/, Logs& logs) override {
    logs.Set("learning_rate", model().optimizer().learning_rate());
  }

 private:
  std::optional<std::vector<std::string>> AddedLogs() const override {
    return std::vector<std::string>{"learning_rate"};
  }

  const std::function<double(int epoch, double rate)> schedule_;
  const int verbose_;
};

}  // namespace

CallbackPtr LearningRateScheduler(std::function<double(int epoch, double learning_rate)> schedule, int verbose) {
  return std::make_shared<Scheduler>(std::move(schedule), verbose);
}

CallbackPtr LearningRateScheduler(std::function<double(int epoch)> schedule, int verbose) {
  if (!schedule) return LearningRateScheduler(std::function<double(int, double)>(), verbose);
  return LearningRateScheduler([schedule = std::move(schedule)](int epoch, double) { return schedule(epoch); },
                               verbose);
}

}  // namespace headrace::keras
