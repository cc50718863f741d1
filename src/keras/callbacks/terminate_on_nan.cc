#include <cmath>

#include <fmt/core.h>

#include "headrace/keras.h"

#include "keras/callbacks/callbacks.h"
#include "keras/console.h"

namespace headrace::keras {
namespace {

class TerminateOnNan final : public internal::BuiltInCallback {
 public:
  void on_train_batch_end(int batch, Logs& logs) override {
    const double* loss = logs.Find("loss");
    if (loss == nullptr || std::isfinite(*loss)) return;
    internal::Print(fmt::format("Batch {}: Invalid loss, terminating training\n", batch));
    model().stop_training = true;
  }
};

}  // namespace

CallbackPtr TerminateOnNaN() { return std::make_shared<TerminateOnNan>(); }

}  // namespace headrace::keras
