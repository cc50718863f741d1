// The values of a graph's variables and constants, each in memory once, however many nodes and signatures name it; and
// the budget of what is computed from them at import, which a small file could make very large. Under which name a
// bundle keeps a variable is decided by the graph's restore operations, not by the variable's own name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>

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
  // The value of a Const node.
  Result<Tensor> ReadConst(const tf::NodeDef& node) const;
  // Counts a constant that importing `node` has made. kResourceExhausted when all of them are far more than what the
  // files hold.
  Status CountMade(const tf::NodeDef& node, const Tensor& value) const;
  // The name in the bundle.
  const std::string& KeyOf(const tf::NodeDef& variable) const;

 private:
  void FindKeys(const NodeIndex& index);
  Tensor Keep(Tensor value) const;

  std::optional<BundleReader> bundle_;
  std::map<std::string, std::string, std::less<>> keys_;  // node name -> name in the bundle
  mutable std::map<std::string, Tensor> read_;            // by name in the bundle: signatures share what they read
  mutable std::map<std::string, Tensor> constants_;       // by node name
  mutable std::unordered_set<const void*> counted_;       // the memory of constants, held or made
  mutable uint64_t held_bytes_ = 0, made_bytes_ = 0;
};

}  // namespace headrace::savedmodel
