// Finds a graph's nodes by name and orders them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "savedmodel/proto/graph.pb.h"

namespace headrace::savedmodel {

// An input string: "node", "node:1", "^node".
struct TensorRef {
  std::string_view node;
  int output = 0;
  bool control = false;
};
Result<TensorRef> ParseTensorRef(std::string_view text);

// "node 'conv2d/Conv2D' (Conv2D)", for messages.
std::string Describe(const tf::NodeDef& node);

class NodeIndex {
 public:
  // `graph` outlives the index. Refuses two nodes of one name.
  static Result<NodeIndex> Make(const tf::GraphDef& graph);

  const tf::NodeDef* Find(std::string_view name) const;  // null when there is none
  // The node that input `i` of `node` names, and its output; refuses control inputs and names of no node.
  Result<std::pair<const tf::NodeDef*, int>> Input(const tf::NodeDef& node, int i) const;
  // All that `node` needs, each after what it needs itself; `node` is the last. Refuses cycles.
  Result<std::vector<const tf::NodeDef*>> Order(const tf::NodeDef& node) const;
  const tf::GraphDef& graph() const { return *graph_; }

 private:
  explicit NodeIndex(const tf::GraphDef& graph) : graph_(&graph) {}

  const tf::GraphDef* graph_;
  std::unordered_map<std::string_view, const tf::NodeDef*> nodes_;
};

// The inputs of `node` that carry data.
int DataInputs(const tf::NodeDef& node);

}  // namespace headrace::savedmodel
