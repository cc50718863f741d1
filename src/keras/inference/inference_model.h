// Inference: a graph whose weights are fixed, run on batches of any size.
//
// A batch is cut into pieces of a power of two, so that few plans serve every size; plans share the weights, which are
// packed once. An InferenceModel is immutable and may be shared; an InferenceRunner belongs to one thread.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "headrace/tensor.h"

#include "keras/graph.h"
#include "keras/plan/algorithms.h"
#include "keras/plan/plan.h"
#include "tensor/backend.h"

namespace headrace::keras {

struct InferenceOptions {
  DType dtype = DType::kFloat32;             // of activations: or bfloat16
  int64_t max_piece = 256;                   // rows of the largest plan
  size_t max_piece_bytes = size_t{1} << 28;  // about what its activations may take
};

class InferenceModel {
 public:
  // Throws kInvalidArgument for a graph that the back end cannot run.
  InferenceModel(const Graph& graph, std::shared_ptr<const tensor::Backend> backend, InferenceOptions options = {});

  std::vector<Shape> input_shapes() const;   // [-1, …], in the order of the graph's InputOps
  std::vector<Shape> output_shapes() const;  // in the order of Graph::Outputs()
  int64_t max_piece() const { return max_piece_; }

 private:
  friend class InferenceRunner;
  int64_t LargestPiece() const;

  Graph graph_;
  std::shared_ptr<const tensor::Backend> backend_;
  InferenceOptions options_;
  int64_t max_piece_ = 1;
  mutable tensor::PackedWeights weights_;
};

class InferenceRunner {
 public:
  explicit InferenceRunner(std::shared_ptr<const InferenceModel> model);
  ~InferenceRunner();

  // inputs: one tensor an input, uint8 or float32, of the model's shapes and equal first dimensions above 0 (not
  // checked). float32 outputs, one an output.
  std::vector<Tensor> Run(const std::vector<Tensor>& inputs);
  // Compiles the plan for `rows` rows now instead of at the first batch that needs it.
  void Prepare(int64_t rows) { (void)PlanFor(rows); }

 private:
  internal::Plan& PlanFor(int64_t rows);

  std::shared_ptr<const InferenceModel> model_;
  internal::ConvChooser chooser_;
  std::map<int64_t, std::unique_ptr<internal::Plan>> plans_;
};

}  // namespace headrace::keras
