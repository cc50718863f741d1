// Fuse: from the graph to the steps the plan runs. Reshapes vanish, and BatchNormalization, ReLU, pooling and dropout
// that follow each other become one epilogue.
#pragma once

#include <algorithm>
#include <vector>

#include "keras/graph.h"

namespace headrace::keras::internal {

struct FuseOptions {
  bool training = false;      // false: dropout is the identity
  bool drop_softmax = false;  // the model's last softmax is left to the loss
};

// One step. `inputs` and `output` are indices of graph values that own storage (see FusedGraph::storage).
struct FusedStep {
  const Value* op = nullptr;  // the operation; null for an epilogue
  // An epilogue's parts, at least one of them present; null where absent.
  const Value* batch_norm = nullptr;
  const Value* relu = nullptr;
  const Value* pool = nullptr;
  const Value* dropout = nullptr;
  std::vector<int> inputs;
  int output = 0;
  bool epilogue() const { return op == nullptr; }
};

struct FusedGraph {
  std::vector<FusedStep> steps;
  // For every graph value the value whose storage holds it: itself, or the one it is an alias of.
  std::vector<int> storage;
  int output = 0;                 // storage of the model's output, or of its logits with drop_softmax
  std::vector<int> more_outputs;  // storages of the graph's other outputs
  bool IsOutput(int value) const {
    return value == output || std::find(more_outputs.begin(), more_outputs.end(), value) != more_outputs.end();
  }
  bool softmax_dropped = false;
};

FusedGraph Fuse(const Graph& graph, const FuseOptions& options);

}  // namespace headrace::keras::internal
