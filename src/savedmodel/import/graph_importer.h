// TensorFlow's graphs as ours. Nodes are visited in order; each becomes a constant, a value of the new graph, or, when
// it is not known, a mark that is an error for those who need it and nothing to those who recognise it as part of a
// larger operation (gelu, swish).
#pragma once

#include <string>
#include <unordered_map>
#include <variant>

#include "headrace/tensor.h"

#include "base/result.h"
#include "keras/graph.h"
#include "savedmodel/import/node_index.h"
#include "savedmodel/import/variable_source.h"

namespace headrace::savedmodel {

struct Constant {
  Tensor value;
  std::string name;  // of the variable or constant node
};
struct GraphValue {
  int index = 0;  // in keras::Graph::values
};
struct VariableHandle {
  const tf::NodeDef* node = nullptr;
};
struct Unknown {                       // no operation of ours
  const tf::NodeDef* cause = nullptr;  // the node that we do not know, here or before
};
using Item = std::variant<Unknown, Constant, GraphValue, VariableHandle>;

class GraphImporter {
 public:
  GraphImporter(const NodeIndex& index, const VariableSource& variables) : index_(index), variables_(variables) {}

  // The graph from the placeholder `input`, whose shape is [-1, …], to `output`, as "node" or "node:0".
  Result<keras::Graph> Import(const std::string& input, const Shape& input_shape, const std::string& output);

  // What handlers of operations read. `i` is the number of an input.
  const NodeIndex& index() const { return index_; }
  const VariableSource& variables() const { return variables_; }
  const keras::Graph& graph() const { return graph_; }
  Result<Item> Input(const tf::NodeDef& node, int i) const;
  Result<int> Activation(const tf::NodeDef& node, int i) const;  // index of the value
  Result<Constant> ConstantInput(const tf::NodeDef& node, int i) const;
  // A weight: a float32 constant of the given rank (0: any).
  Result<keras::VariablePtr> Weight(const tf::NodeDef& node, int i, size_t rank, bool trainable = true) const;
  const Shape& ShapeAt(int value) const { return graph_.values[static_cast<size_t>(value)].shape; }
  // Appends a value of `shape` named after the node; refuses shapes that are empty or too large.
  Result<Item> Emit(const tf::NodeDef& node, keras::Operation op, std::vector<int> inputs, Shape shape,
                    std::vector<keras::VariablePtr> variables = {});

 private:
  Result<Item> ImportNode(const tf::NodeDef& node);

  const NodeIndex& index_;
  const VariableSource& variables_;
  const tf::NodeDef* input_ = nullptr;
  keras::Graph graph_;
  std::unordered_map<const tf::NodeDef*, Item> items_;
};

}  // namespace headrace::savedmodel
