#include <utility>

#include "headrace/keras.h"

#include "keras/callbacks/callbacks.h"

namespace headrace::keras {
namespace {

template <typename Function, typename... Args>
void CallIfGiven(const Function& function, Args&&... args) {
  if (function) function(std::forward<Args>(args)...);
}

class Lambdas final : public internal::BuiltInCallback {
 public:
  explicit Lambdas(LambdaCallbackOptions options) : options_(std::move(options)) {}
  void on_train_begin() override { CallIfGiven(options_.on_train_begin); }
  void on_train_end() override { CallIfGiven(options_.on_train_end); }
  void on_epoch_begin(int epoch) override { CallIfGiven(options_.on_epoch_begin, epoch); }
  void on_epoch_end(int epoch, Logs& logs) override { CallIfGiven(options_.on_epoch_end, epoch, logs); }
  void on_train_batch_begin(int batch) override { CallIfGiven(options_.on_train_batch_begin, batch); }
  void on_train_batch_end(int batch, Logs& logs) override { CallIfGiven(options_.on_train_batch_end, batch, logs); }

 private:
  std::optional<std::vector<std::string>> AddedLogs() const override {
    return options_.on_epoch_end ? std::nullopt : BuiltInCallback::AddedLogs();
  }

  const LambdaCallbackOptions options_;
};

}  // namespace

CallbackPtr LambdaCallback(LambdaCallbackOptions options) { return std::make_shared<Lambdas>(std::move(options)); }

}  // namespace headrace::keras
