// Constants, variables and what is computed from them alone.
#include <cmath>

#include "savedmodel/import/operations.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {

Result<Item> ImportConst(GraphImporter&, const tf::NodeDef& node) {
  const auto value = node.attr().find("value");
  if (value == node.attr().end() || !value->second.has_tensor())
    return Fail(ErrorCode::kDataLoss, "{}: it has no value", Describe(node));
  HEADRACE_ASSIGN(Tensor tensor, TensorFromProto(value->second.tensor(), Describe(node)));
  return Item(Constant{std::move(tensor), node.name()});
}

Result<Item> ImportVariable(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Tensor value, importer.variables().Read(node));
  return Item(Constant{std::move(value), node.name()});
}

Result<Item> ImportVarHandle(GraphImporter&, const tf::NodeDef& node) { return Item(VariableHandle{&node}); }

Result<Item> ImportReadVariable(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const auto* handle = std::get_if<VariableHandle>(&item);
  if (handle == nullptr) return Fail(ErrorCode::kInvalidArgument, "{}: its input is no VarHandleOp", Describe(node));
  return ImportVariable(importer, *handle->node);
}

Result<Item> ImportIdentity(GraphImporter& importer, const tf::NodeDef& node) { return importer.Input(node, 0); }

Result<Item> ImportRsqrt(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const auto* constant = std::get_if<Constant>(&item);
  if (constant == nullptr || constant->value.dtype() != DType::kFloat32) return Item(Unknown{&node});
  Tensor result = constant->value.Clone();
  float* values = result.data<float>();
  for (int64_t i = 0; i < result.size(); ++i) values[i] = 1.0f / std::sqrt(values[i]);
  return Item(Constant{std::move(result), node.name()});
}

}  // namespace headrace::savedmodel
