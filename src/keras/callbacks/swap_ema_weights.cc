#include "headrace/keras.h"

#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/model_state.h"
#include "keras/weight_update.h"

namespace headrace::keras {
namespace {

class Swap final : public internal::BuiltInCallback {
 public:
  explicit Swap(SwapEMAWeightsOptions options) : options_(options) {}

  void on_train_begin() override { Require(); }
  void on_epoch_begin(int /*epoch*/) override {
    if (options_.swap_on_epoch) PutAverages(false);
  }
  void on_epoch_end(int /*epoch*/, Logs& /*logs*/) override {
    if (options_.swap_on_epoch) PutAverages(true);
  }
  void on_test_begin() override { PutAverages(true); }
  void on_test_end(Logs& /*logs*/) override { PutAverages(false); }
  void on_predict_begin() override { PutAverages(true); }
  void on_predict_end() override { PutAverages(false); }

 private:
  internal::OptimizerState& Require() const {
    internal::OptimizerState& optimizer = *model().optimizer().state();
    if (!optimizer.use_ema)
      throw MakeError(
          ErrorCode::kFailedPrecondition,
          "SwapEMAWeights: the optimizer {} keeps no averages of the weights: found use_ema = false, wanted "
          "true",
          internal::NameOf(optimizer.kind));
    return optimizer;
  }

  // Averages, or the weights that are trained, in the model; before the first step there are no averages.
  void PutAverages(bool averages) const {
    internal::OptimizerState& optimizer = Require();
    if (optimizer.iterations == 0 || optimizer.averages_in_weights == averages) return;
    internal::SwapAverages(optimizer, model().state().compiled->trainable);
  }

  const SwapEMAWeightsOptions options_;
};

}  // namespace

CallbackPtr SwapEMAWeights(SwapEMAWeightsOptions options) { return std::make_shared<Swap>(options); }

}  // namespace headrace::keras
