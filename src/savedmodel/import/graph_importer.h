// TensorFlow's graphs as ours. Nodes are visited in order; each becomes a constant, a value of the new graph, or, when
// it is not known, a mark that is an error for those who need it and nothing to those who recognise it as part of a
// larger operation (gelu, swish).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"
#include "keras/graph.h"
#include "savedmodel/import/node_index.h"
#include "savedmodel/import/string_decoding.h"
#include "savedmodel/import/variable_source.h"

namespace headrace::savedmodel {

struct Constant {
  Tensor value;           // booleans are uint8
  std::string name;       // of the variable or constant node
  bool symbolic = false;  // made from a shape: an element of -k is k times the batch
};
struct GraphValue {
  int index = 0;  // in keras::Graph::values
};
// A value of the graph whose dimensions but the last are one in TensorFlow's: rows of a matrix, as a dense layer on
// more than two dimensions makes them. Only another Reshape and MatMul take it.
struct MergedValue {
  int index = 0;
};
struct VariableHandle {
  const tf::NodeDef* node = nullptr;
};
struct Unknown {                       // no operation of ours
  const tf::NodeDef* cause = nullptr;  // the node that we do not know, here or before
  const char* reason = nullptr;        // where we know it, but not as it is
};
struct Dead {};          // behind the side of a Switch that is not taken
struct StringValue {     // strings of the signature's input, or of a feature of its Examples
  DecodedTensor tensor;  // without dtype and shape: what their bytes would be
  Shape shape;           // [-1, …]
};
struct RawValue {  // their bytes as numbers, in rows of a length that is not known yet
  DecodedTensor tensor;
  const tf::NodeDef* cause = nullptr;
};
struct SpacedValue {  // a value whose rows and columns are partly in the batch (SpaceToBatchND)
  int x = 0;
  std::vector<int64_t> block, padding;  // rows, columns; of each before and behind
  keras::VariablePtr kernel;            // of the convolution on it, once there is one
  int64_t groups = 1;
};
struct IndexValue {  // where the largest elements of a value are (ArgMax)
  int x = 0;
  size_t axis = 1;       // of the value
  Shape shape;           // [-1, …]
  bool as_text = false;  // their decimal digits
};
struct RowConstant {  // the same row for all of a batch
  Tensor row;
  std::vector<std::string> strings;  // or a row of these
  Shape shape;                       // [-1, …]
};
using Item = std::variant<Unknown, Constant, GraphValue, MergedValue, VariableHandle, Dead, StringValue, RawValue,
                          SpacedValue, IndexValue, RowConstant>;
using Items = std::vector<Item>;  // the outputs of one node

// What an output of a signature is of the graph's.
struct GraphOutput {
  std::optional<size_t> value;    // which of the graph's outputs; none: `row` whatever the input is
  std::optional<size_t> largest;  // the axis along which it is the number of the largest element; none: the value
  Tensor row = {};
  // Of an output of strings, which the numbers above stand for.
  std::vector<std::string> labels = {};
  Shape shape = {};  // [-1, …]
};

struct GraphInput {
  std::string tensor;  // "node" or "node:0"
  Shape shape;         // [-1, …]
  DType dtype = DType::kFloat32;
  bool strings = false;
};

class GraphImporter {
 public:
  GraphImporter(const NodeIndex& index, const VariableSource& variables) : index_(index), variables_(variables) {}

  // The graph from placeholders to tensors named "node" or "node:0". Its InputOps are in the order of `inputs`, or,
  // where some are strings, of decoding().tensors.
  Result<keras::Graph> Import(const std::vector<GraphInput>& inputs, const std::vector<std::string>& outputs);
  StringDecoding decoding() const;  // after Import
  // Of each output, after Import.
  const std::vector<GraphOutput>& outputs() const { return outputs_; }

  // What handlers of operations read. `i` is the number of an input.
  const NodeIndex& index() const { return index_; }
  const VariableSource& variables() const { return variables_; }
  const keras::Graph& graph() const { return graph_; }
  Result<Item> Input(const tf::NodeDef& node, int i) const;
  Result<int> Activation(const tf::NodeDef& node, int i) const;  // index of the value
  // Whether all of the value's elements are whole numbers.
  bool IsInteger(int value) const;
  Result<Constant> ConstantInput(const tf::NodeDef& node, int i) const;
  // A constant of whole numbers.
  Result<std::vector<int64_t>> IntsInput(const tf::NodeDef& node, int i) const;
  // A weight: a float32 constant of the given rank (0: any).
  Result<keras::VariablePtr> Weight(const tf::NodeDef& node, int i, size_t rank, bool trainable = true) const;
  const Shape& ShapeAt(int value) const { return graph_.values[static_cast<size_t>(value)].shape; }
  // Appends an input of the graph.
  Result<Item> EmitInput(const tf::NodeDef& node, DecodedTensor tensor);
  // A feature that Examples must have.
  void Check(CheckedFeature feature) { decoding_.checked.push_back(std::move(feature)); }
  // Appends a value of `shape` named after the node; refuses shapes that are empty or too large.
  Result<Item> Emit(const tf::NodeDef& node, keras::Operation op, std::vector<int> inputs, Shape shape,
                    std::vector<keras::VariablePtr> variables = {});

 private:
  Result<Items> ImportNode(const tf::NodeDef& node);
  Status AddOutput(const std::string& output);
  size_t GraphOutputOf(int value);

  const NodeIndex& index_;
  const VariableSource& variables_;
  keras::Graph graph_;
  std::unordered_map<const tf::NodeDef*, Items> items_;
  std::unordered_set<int> integer_inputs_;
  StringDecoding decoding_;
  std::vector<GraphOutput> outputs_;
  std::vector<int> computed_;  // values that are the graph's outputs
};

}  // namespace headrace::savedmodel
