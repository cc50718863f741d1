// GradientExchange: how a model trains together with copies of itself, the ranks of src/horovod. The model holds one
// from compile() on, when its optimizer says so; engines come and go. Everything here is called by the thread that
// trains, on every rank in the same order, and throws Error when the ranks cannot go on together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "headrace/keras.h"

#include "keras/graph.h"

namespace headrace::keras::internal {

// What fit() is asked for: the same on all ranks, or they would wait for each other for ever.
struct FitPlan {
  int initial_epoch = 0, epochs = 0;
  int64_t initial_step = 0;     // of initial_epoch
  int64_t steps_per_epoch = 0;  // 0: until the dataset ends
};

class GradientExchange {
 public:
  virtual ~GradientExchange() = default;

  virtual int rank() const = 0;  // 0 .. size() - 1
  virtual int size() const = 0;

  // Once, when the model is compiled. Returns memory for the gradients: float32 zeros, laid out as LayOut() lays out
  // the variables' shapes (keras/packed.h); it lives as long as the exchange. Throws when other ranks' variables are
  // not these ones.
  virtual Tensor Connect(const std::vector<VariablePtr>& trainable) = 0;

  // Before the first step of a fit(), behind the callbacks' on_train_begin(). Throws when the ranks are asked for
  // different things, or start from different values of the variables.
  virtual void BeginTraining(const FitPlan& plan) = 0;

  // Before the first step: `mine` of rank 0, on every rank. The same text as before when it is asked again.
  virtual std::string OfFirstRank(const std::string& mine) = 0;

  // ---- one step

  // While backward still runs: the gradient of trainable variable i is final and may leave. Each variable is named
  // once a step, in the same order in every step.
  virtual void GradientReady(size_t variable) = 0;

  struct Outcome {
    bool somebody_trained = true;  // false: no rank had a batch since the last exchange
    const float* gradients =
        nullptr;  // of all ranks, laid out as this rank's, until the next step; null: keep the weights
  };
  // Behind backward: waits for the other ranks. `trained`: this rank had a batch; without one its gradients are zeros.
  virtual Outcome FinishStep(bool trained) = 0;

  // `count` numbers of every rank, in the order of the ranks, into `all`, float32 [size(), count]. May be called
  // between two gradients' GradientReady(), and in the forward pass.
  virtual void Gather(const float* mine, int64_t count, float* all) = 0;

  // ---- one run

  // Whether any rank wants to stop.
  virtual bool AnyStops(bool stop) = 0;
  // This rank cannot go on, for the reason `text`: ends the training of all ranks with it. Never throws.
  virtual void Abort(const std::string& text) noexcept = 0;
};

using MakeGradientExchange = std::function<std::shared_ptr<GradientExchange>()>;

}  // namespace headrace::keras::internal
