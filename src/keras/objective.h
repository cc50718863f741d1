// Objective: a compiled model with its loss and metrics as one graph: what a batch of training or evaluation computes.
#pragma once

#include <string>
#include <vector>

#include "headrace/tensor.h"

#include "keras/graph.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {

// One batch: a tensor for each input of the model; for training and evaluation a tensor of targets for each output and,
// where samples are weighted, float32 weights [rows] (or one for each place) of each output.
struct Batch {
  std::vector<Tensor> x, y, weights;
};

// What the graph reads, one for each InputOp in their order.
struct Feed {
  enum class From { kInput, kTarget, kWeights };
  From from = From::kInput;
  size_t index = 0;  // of the model's inputs, or outputs
  Shape shape;       // [-1, …]
  DType dtype = DType::kFloat32;
};

// Where a metric's numbers of a batch are, by place in Graph::Outputs().
struct Reading {
  size_t metric = 0;     // of Compiled::columns
  size_t output = 0;     // of the model
  int sum = -1;          // of its function's values; -1: it reads the tensors
  int weight = -1;       // the sum of their weights; -1: their number
  Shape values;          // of the function, [-1, …]
  int predictions = -1;  // float32, where it reads the tensors
  bool weighted = false;
};

struct Objective {
  Graph graph;    // its first output is the loss
  int loss = -1;  // the value: a scalar
  std::vector<Feed> feeds;
  std::vector<int> losses;  // of the model's outputs, where several have one: places in Graph::Outputs()
  std::vector<Reading> readings;
};

// For batches like this one, which CheckBatch() has passed. Throws kInvalidArgument for targets and weights of shapes
// that the losses or metrics do not take.
Objective MakeObjective(const ModelState& model, const Batch& batch);

// Throws kInvalidArgument, naming what does not fit: inputs, targets and weights by number, shape and type, classes out
// of range. Targets come back in the types that the graph reads.
void CheckInputs(const ModelState& model, const std::vector<Tensor>& x);
Batch CheckBatch(const ModelState& model, const Batch& batch);

}  // namespace headrace::keras::internal
