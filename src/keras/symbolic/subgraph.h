// Subgraph: what a function of symbolic values makes of its arguments: it is called once with placeholders, and what it
// did is lowered wherever a layer of one's own, a loss or a metric stands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "headrace/keras/layer.h"

#include "keras/layer_state.h"

namespace headrace::keras::internal {

class Subgraph {
 public:
  // owner: for messages. Throws kInvalidArgument for an output that depends on an Input() of another model.
  Subgraph(std::string owner, std::vector<std::shared_ptr<Node>> inputs, std::vector<std::shared_ptr<Node>> outputs);

  const Shape& shape() const { return outputs_[0]->shape; }
  // The layers in it, each once, in the order of their first calls; without operations and placeholders.
  std::vector<std::shared_ptr<LayerState>> Layers() const;
  // Appends its operations to `graph`; returns the value of each output.
  std::vector<int> Lower(Graph& graph, const std::vector<int>& inputs) const;

 private:
  void Visit(const std::shared_ptr<Node>& node);

  std::string owner_;
  std::vector<std::shared_ptr<Node>> inputs_, outputs_;
  std::vector<std::shared_ptr<Node>> nodes_;  // in topological order, without the inputs
};

}  // namespace headrace::keras::internal
