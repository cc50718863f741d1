#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "keras/callbacks/callbacks.h"
#include "keras/callbacks/monitor.h"
#include "keras/console.h"
#include "keras/weight_copy.h"

namespace headrace::keras {
namespace {

class EarlyStop final : public internal::BuiltInCallback {
 public:
  explicit EarlyStop(EarlyStoppingOptions options)
      : options_(std::move(options)), monitor_("EarlyStopping", options_.monitor, options_.mode, options_.min_delta) {}

  void on_train_begin() override {
    monitor_.set_best(std::nullopt);
    wait_ = stopped_epoch_ = best_epoch_ = 0;
    best_weights_.Clear();
  }

  void on_epoch_end(int epoch, Logs& logs) override {
    const double* value = monitor_.Read(logs);
    if (value == nullptr || epoch < options_.start_from_epoch) return;
    if (options_.restore_best_weights && best_weights_.empty()) KeepWeights(epoch);
    ++wait_;
    if (monitor_.Improves(*value)) {
      monitor_.set_best(*value);
      wait_ = 0;
      KeepWeights(epoch);
    } else if (wait_ >= options_.patience && epoch > 0) {
      stopped_epoch_ = epoch;
      model().stop_training = true;
    }
  }

  void on_train_end() override {
    if (stopped_epoch_ > 0) Say(fmt::format("Epoch {}: early stopping\n", stopped_epoch_ + 1));
    if (best_weights_.empty()) return;
    Say(fmt::format("Restoring model weights from the end of the best epoch: {}.\n", best_epoch_ + 1));
    best_weights_.Restore(model());
  }

  // The best weights are not part of it: after a resume, the best epoch of the new run is restored at its end.
  std::string state() const override {
    return nlohmann::json{{"best", monitor_.State()}, {"wait", wait_}, {"best_epoch", best_epoch_}}.dump();
  }
  void restore_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    monitor_.Restore(json.at("best"));
    wait_ = json.at("wait");
    best_epoch_ = json.at("best_epoch");
  }

 private:
  void CheckLogs(const internal::ExpectedLogs& expected) const override { monitor_.Check(expected); }

  void KeepWeights(int epoch) {
    best_epoch_ = epoch;
    if (options_.restore_best_weights) best_weights_.Keep(model());
  }
  void Say(const std::string& text) const {
    if (options_.verbose > 0) internal::Print(text);
  }

  const EarlyStoppingOptions options_;
  internal::Monitor monitor_;
  int wait_ = 0, stopped_epoch_ = 0, best_epoch_ = 0;
  internal::WeightCopy best_weights_;
};

}  // namespace

CallbackPtr EarlyStopping(EarlyStoppingOptions options) { return std::make_shared<EarlyStop>(std::move(options)); }

}  // namespace headrace::keras
