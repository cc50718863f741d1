// Builds a GraphDef node by node.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/tensor.h"

#include "savedmodel/proto/graph.pb.h"

namespace headrace::savedmodel {

// One node being written; the setters give attributes.
class NodeWriter {
 public:
  explicit NodeWriter(tf::NodeDef* node) : node_(node) {}

  NodeWriter& Type(const char* name, tf::DataType type);
  NodeWriter& Types(const char* name, const std::vector<tf::DataType>& types);
  NodeWriter& Int(const char* name, int64_t value);
  NodeWriter& Ints(const char* name, const std::vector<int64_t>& values);
  NodeWriter& Float(const char* name, float value);
  NodeWriter& Bool(const char* name, bool value);
  NodeWriter& String(const char* name, std::string_view value);
  NodeWriter& ShapeOf(const char* name, const Shape& shape);
  tf::TensorProto& Value();  // of a Const

  const std::string& name() const { return node_->name(); }

 private:
  tf::NodeDef* node_;
};

class GraphWriter {
 public:
  explicit GraphWriter(tf::GraphDef* graph) : graph_(graph) {}

  // Appends a node. The name is made valid, and unique with "_1", "_2", …; the final one is in the result.
  NodeWriter Add(std::string_view op, std::string_view name, const std::vector<std::string>& inputs = {});
  // Both of T float: an element-wise operation and its like.
  std::string AddFloat(std::string_view op, std::string_view name, const std::vector<std::string>& inputs);
  std::string FloatConst(std::string_view name, float value);
  std::string IntsConst(std::string_view name, const std::vector<int32_t>& values, const Shape& shape);
  std::string StringsConst(std::string_view name, const std::vector<std::string>& values);
  std::string StringConst(std::string_view name, std::string_view value);

  // A name with this prefix that no node and no earlier call has; valid as the beginning of node names.
  std::string Unique(std::string_view name);

 private:
  tf::GraphDef* graph_;
  std::map<std::string, int, std::less<>> taken_;  // name -> next suffix to try
};

}  // namespace headrace::savedmodel
