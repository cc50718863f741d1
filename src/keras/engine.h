// Engine: a built model's execution plans and its optimizer, one batch at a time. fit/ drives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/tensor.h"

#include "keras/metrics/metric_state.h"
#include "keras/model_state.h"
#include "keras/objective.h"
#include "keras/plan/profile.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

// What one batch says. Tensors in it are valid until the next batch.
struct BatchResult {
  int64_t rows = 0;
  double loss = 0;                   // times the rows, so that sums over batches divide by sums of rows
  std::vector<double> losses;        // the same of each output, where several have a loss
  std::vector<MetricBatch> metrics;  // one for each of Compiled::columns
};

class Engine {
 public:
  // Initialised weights in, views of one parameter buffer out: Variable::value is replaced. `model` must be compiled
  // for training and testing, not for prediction; it outlives the engine.
  Engine(ModelState& model, std::unique_ptr<tensor::Backend> backend);
  ~Engine();

  // Batches of any size; a plan is compiled for each size seen (few in practice). x uint8 or float32. Throw
  // kInvalidArgument naming what does not fit, before anything changes.
  BatchResult TrainBatch(const Batch& batch);
  BatchResult TrainBatch(const Tensor& x, const Tensor& y) { return TrainBatch(Batch{{x}, {y}, {}}); }
  // A training step without a batch, so that the ranks that have one can go on. False: none has.
  bool TrainWithoutBatch();
  BatchResult TestBatch(const Batch& batch);
  BatchResult TestBatch(const Tensor& x, const Tensor& y) { return TestBatch(Batch{{x}, {y}, {}}); }
  // out: for each output float32 [n, …output shape].
  void PredictBatch(const std::vector<Tensor>& x, std::vector<Tensor>& out);
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
