// The nodes around a graph's variables: handles, initial values and reads, and TensorFlow's saving and restoring.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "keras/graph.h"
#include "savedmodel/export/graph_writer.h"
#include "savedmodel/proto/saved_model.pb.h"

namespace headrace::savedmodel {

struct ExportedVariable {
  std::string name;  // of the node and in the bundle
  std::string read;  // node whose output is the value
  keras::VariablePtr variable;
};

class VariableWriter {
 public:
  explicit VariableWriter(GraphWriter& graph) : graph_(graph) {}

  // The node with the variable's value; its nodes are added at the first call.
  std::string Read(const keras::VariablePtr& variable);
  // In the order in which they were first read.
  const std::vector<ExportedVariable>& variables() const { return variables_; }
  // The nodes that restore from and save to a bundle, saver_def, and the collections of variables. Last call.
  void AddSaver(tf::MetaGraphDef* meta);

 private:
  void AddCollections(tf::MetaGraphDef* meta) const;
  std::string AddRestore(const std::string& prefix, const std::string& names, const std::string& slices);
  std::string AddSave(const std::string& prefix, const std::string& names, const std::string& slices);

  GraphWriter& graph_;
  std::vector<ExportedVariable> variables_;
  std::map<const keras::Variable*, size_t> index_;
};

}  // namespace headrace::savedmodel
