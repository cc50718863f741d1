// The values of a graph's variables. Under which name a bundle keeps a variable is decided by the graph's restore
// operations, not by the variable's own name.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "headrace/tensor.h"

#include "base/result.h"
#include "savedmodel/bundle/bundle_reader.h"
#include "savedmodel/import/node_index.h"

namespace headrace::savedmodel {

class VariableSource {
 public:
  // `bundle` may be absent: then the graph must not read variables.
  VariableSource(const NodeIndex& index, std::optional<BundleReader> bundle);

  // The value of the variable whose VarHandleOp or VariableV2 is `variable`; checked against the node's shape.
  Result<Tensor> Read(const tf::NodeDef& variable) const;
  // The name in the bundle.
  const std::string& KeyOf(const tf::NodeDef& variable) const;

 private:
  void FindKeys(const NodeIndex& index);

  std::optional<BundleReader> bundle_;
  std::map<std::string, std::string, std::less<>> keys_;  // node name -> name in the bundle
  mutable std::map<std::string, Tensor> read_;            // by node name: signatures share what they read
};

}  // namespace headrace::savedmodel
