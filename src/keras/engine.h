// Engine: a built model's execution plans and its optimizer, one batch at a time. fit.cc drives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "headrace/tensor.h"

#include "keras/model_state.h"
#include "keras/plan/profile.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

// Sums over the rows of one batch; a mean is sum / rows.
struct BatchResult {
  int64_t rows = 0;
  double loss = 0;      // sum of the rows' losses
  int64_t correct = 0;  // rows whose largest score is the label's class
};

class Engine {
 public:
  // Initialised weights in, views of one parameter buffer out: Variable::value is replaced. `model` must be compiled
  // for training and testing, not for prediction; it outlives the engine.
  Engine(ModelState& model, std::unique_ptr<tensor::Backend> backend);
  ~Engine();

  // x [n, …] uint8 or float32; y as the loss wants it. Any n; a plan is compiled for each n seen (few in practice).
  // Throw kInvalidArgument naming what does not fit, before anything changes.
  BatchResult TrainBatch(const Tensor& x, const Tensor& y);
  // A training step without a batch, so that the ranks that have one can go on. False: none has.
  bool TrainWithoutBatch();
  BatchResult TestBatch(const Tensor& x, const Tensor& y);
  // out: float32 [n, …output shape].
  void PredictBatch(const Tensor& x, Tensor& out);

  std::string algorithms() const;
  // The gradient of trainable variable i after TrainBatch, float32, of the variable's shape.
  const Tensor& gradient(size_t variable) const;
  // Times every stage into `profile` from now on; null ends it. The profile outlives the engine or that call.
  void set_profile(Profile* profile);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::keras::internal
