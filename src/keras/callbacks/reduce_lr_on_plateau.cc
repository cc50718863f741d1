#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/callbacks/monitor.h"
#include "keras/callbacks/python_format.h"
#include "keras/console.h"
#include "keras/optimizer_state.h"

namespace headrace::keras {
namespace {

class ReduceLR final : public internal::BuiltInCallback {
 public:
  explicit ReduceLR(ReduceLROnPlateauOptions options)
      : options_(std::move(options)),
        monitor_("ReduceLROnPlateau", options_.monitor, options_.mode, options_.min_delta) {
    if (!(options_.factor < 1)) {
      throw MakeError(ErrorCode::kInvalidArgument, "ReduceLROnPlateau: factor: found {}, wanted below 1",
                      options_.factor);
    }
  }

  void on_train_begin() override {
    internal::RequireSettableRate(*model().optimizer().state(), "ReduceLROnPlateau");
    monitor_.set_best(std::nullopt);
    cooldown_ = wait_ = 0;
  }

  void on_epoch_end(int epoch, Logs& logs) override {
    logs.Set("learning_rate", model().optimizer().learning_rate());  // the rate of the epoch that ends
    const double* value = monitor_.Read(logs);
    if (value == nullptr) return;
    if (cooldown_ > 0) {
      --cooldown_;
      wait_ = 0;
    }
    if (monitor_.Improves(*value)) {
      monitor_.set_best(*value);
      wait_ = 0;
    } else if (cooldown_ == 0 && ++wait_ >= options_.patience && Reduce(epoch)) {
      cooldown_ = options_.cooldown;
      wait_ = 0;
    }
  }

  std::string state() const override {
    return nlohmann::json{{"best", monitor_.State()}, {"wait", wait_}, {"cooldown", cooldown_}}.dump();
  }
  void restore_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    monitor_.Restore(json.at("best"));
    wait_ = json.at("wait");
    cooldown_ = json.at("cooldown");
  }

 private:
  std::optional<std::vector<std::string>> AddedLogs() const override {
    return std::vector<std::string>{"learning_rate"};
  }
  void CheckLogs(const internal::ExpectedLogs& expected) const override { monitor_.Check(expected); }

  // False when the rate is as low as it may be.
  bool Reduce(int epoch) {
    Optimizer optimizer = model().optimizer();
    const float old_rate = optimizer.learning_rate();
    if (!(old_rate > static_cast<float>(options_.min_lr))) return false;
    const double rate = std::max(static_cast<double>(old_rate) * options_.factor, options_.min_lr);
    optimizer.set_learning_rate(static_cast<float>(rate));
    if (options_.verbose > 0) {
      internal::Print(fmt::format("\nEpoch {}: ReduceLROnPlateau reducing learning rate to {}.\n", epoch + 1,
                                  internal::PythonRepr(rate)));
    }
    return true;
  }

  const ReduceLROnPlateauOptions options_;
  internal::Monitor monitor_;
  int cooldown_ = 0, wait_ = 0;
};

}  // namespace

CallbackPtr ReduceLROnPlateau(ReduceLROnPlateauOptions options) {
  return std::make_shared<ReduceLR>(std::move(options));
}

}  // namespace headrace::keras
