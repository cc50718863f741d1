// Plan: a graph compiled for one batch size. Steps fused, algorithms chosen, every buffer placed in one arena by
// lifetime: a run allocates nothing and checks nothing.
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
  DType dtype = DType::kFloat32;                   // of activations
  bool training = false;                           // with gradients, batch statistics and dropout
  bool drop_softmax = false;                       // scores() are the logits when the model ends in a softmax
  tensor::PackedWeights* fixed_weights = nullptr;  // inference whose weights never change: packed here, once
};

class Plan {
 public:
  // `graph`, `backend` and `parameters` (null when nothing is trained) outlive the plan.
  Plan(const Graph& graph, const tensor::Backend& backend, const Parameters* parameters, ConvChooser& chooser,
       const PlanOptions& options);
  ~Plan();

  // x: [batch, …] uint8 or float32, of the graph's input shape; checked by the caller.
  void Forward(const Tensor& x, const StepContext& step);
  // The same for a graph of several inputs: one tensor each, in the order of their InputOps.
  void Forward(const std::vector<Tensor>& inputs, const StepContext& step);
  // From dscores(), which the caller has filled, to the parameters' gradients.
  void Backward(const StepContext& step);
  // A step without a batch, while other ranks have one: what they wait for, with gradients that the caller has zeroed.
  void Skip(const StepContext& step);

  void* scores() const;                                 // the output, or the logits: [batch, …] of options.dtype
  void* dscores() const;                                // training only
  void* output(size_t i) const { return outputs_[i]; }  // of Graph::Outputs()
  bool softmax_dropped() const { return fused_.softmax_dropped; }
  size_t arena_bytes() const { return arena_.bytes(); }

 private:
  struct Storage;  // of one graph value
  class Compiler;
  void ReportShared(size_t stage, const StepContext& step) const;
  struct Bound {  // a stage and what the plan does around it
    std::unique_ptr<Stage> stage;
    bool backward = false;
    std::vector<void*> add_to;  // for each input: the gradient to add dx to, null when dx is already in place
    std::vector<int64_t> add_count;
  };

  const tensor::Backend& backend_;
  PlanOptions options_;
  FusedGraph fused_;
  Arena arena_;
  std::vector<Bound> stages_;
  std::unique_ptr<SharedGradients> shared_;
  std::vector<void*> inputs_;
  std::vector<void*> outputs_;
  void* dscores_ = nullptr;
};

}  // namespace headrace::keras::internal
