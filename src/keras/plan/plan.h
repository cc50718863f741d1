// Plan: a graph compiled for one batch size, in training with its backward pass. Steps fused, algorithms chosen, every
// buffer placed in one arena by lifetime: a run allocates nothing and checks nothing.
#pragma once

#include <memory>
#include <vector>

#include "keras/graph.h"
#include "keras/plan/algorithms.h"
#include "keras/plan/arena.h"
#include "keras/plan/fuse.h"
#include "keras/plan/parameters.h"
#include "keras/plan/profile.h"
#include "keras/plan/shared_gradients.h"
#include "keras/plan/stage.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

struct PlanOptions {
  int64_t batch = 0;
  DType dtype = DType::kFloat32;                   // of values that have none of their own
  bool training = false;                           // with batch statistics, dropout and, given a loss, gradients
  int loss = -1;                                   // the value, a scalar, whose gradient is wanted; one of the outputs
  tensor::PackedWeights* fixed_weights = nullptr;  // inference whose weights never change: packed here, once
};

class Plan {
 public:
  // `backend` and `parameters` (null when nothing is trained) outlive the plan.
  Plan(Graph graph, const tensor::Backend& backend, const Parameters* parameters, ConvChooser& chooser,
       const PlanOptions& options);
  ~Plan();

  // inputs: one tensor for each InputOp, in their order: [batch, …] of its shape; of its dtype, or uint8 or float32 for
  // one of float32 or none. Checked by the caller. With a loss the parameters' gradients are written.
  void Run(const std::vector<Tensor>& inputs, const StepContext& step);
  // A step without a batch, while other ranks have one: what they wait for, with gradients that the caller has zeroed.
  void Skip(const StepContext& step);

  void* output(size_t i) const { return outputs_[i]; }  // of Graph::Outputs(), until the next Run()
  size_t arena_bytes() const { return arena_.bytes(); }

 private:
  struct Storage;  // of one graph value
  class Compiler;
  void ReportShared(int step, const StepContext& context) const;
  void ReportUnreached(const StepContext& context) const;
  struct Input {
    void* data = nullptr;
    DType dtype = DType::kFloat32;
  };
  struct Step {
    Stage* stage = nullptr;
    int backward_of = -1;  // the forward step whose stage runs backwards; -1: forwards
  };

  Graph graph_;
  const tensor::Backend& backend_;
  PlanOptions options_;
  FusedGraph fused_;
  Arena arena_;
  std::vector<Tensor> constants_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<Step> steps_;  // in the order in which they run
  std::unique_ptr<SharedGradients> shared_;
  std::vector<size_t> unreached_;  // trainable variables that the loss does not depend on
  std::vector<Input> inputs_;
  std::vector<void*> outputs_;
};

}  // namespace headrace::keras::internal
