// Fuse: from the graph to the steps the plan runs forwards. Reshapes vanish, and BatchNormalization, ReLU, pooling and
// dropout that follow each other become one epilogue.
#pragma once

#include <algorithm>
#include <vector>

#include "keras/graph.h"

namespace headrace::keras::internal {

struct FuseOptions {
  bool training = false;  // false: dropout is the identity
};

// One step. `inputs` and `output` are indices of graph values that own storage (see FusedGraph::storage).
struct FusedStep {
  int backward_of =
      -1;  // the forward step whose backward pass this one is (BackwardOp); its output may be -1: not wanted
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
  std::vector<int> backward;  // of each forward step: the step that is its backward pass; -1, or empty: none
  std::vector<int> outputs;   // storages of Graph::Outputs()
  bool IsOutput(int value) const { return std::find(outputs.begin(), outputs.end(), value) != outputs.end(); }
};

// Whether the operation changes nothing: the value is its input's storage under another shape.
inline bool SharesStorage(const Graph& graph, const Value& value) {
  if (std::holds_alternative<FlattenOp>(value.op)) return true;
  return std::holds_alternative<CastOp>(value.op) &&
         value.dtype == graph.values[static_cast<size_t>(value.inputs[0])].dtype;
}

// The steps point into `graph`; those that no output depends on are left out.
FusedGraph Fuse(const Graph& graph, const FuseOptions& options);

}  // namespace headrace::keras::internal
