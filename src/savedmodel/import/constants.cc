// Constants, variables and what is computed from them alone.
#include "savedmodel/import/operations.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

// One truth value, as uint8.
Result<Item> ImportBool(const tf::NodeDef& node, const tf::TensorProto& proto) {
  if (proto.tensor_shape().dim_size() != 0) return Item(Unknown{&node});
  const bool packed = !proto.tensor_content().empty() && proto.tensor_content()[0] != 0;
  Tensor value(DType::kUInt8, {});
  value.data<uint8_t>()[0] = packed || (proto.bool_val_size() > 0 && proto.bool_val(0)) ? 1 : 0;
  return Item(Constant{std::move(value), node.name()});
}

// Null when the item is no truth value.
const uint8_t* BoolOf(const Item& item) {
  const auto* constant = std::get_if<Constant>(&item);
  const bool fits = constant != nullptr && constant->value.dtype() == DType::kUInt8 && constant->value.size() == 1;
  return fits ? constant->value.data<uint8_t>() : nullptr;
}

}  // namespace

Result<Item> ImportConst(GraphImporter& importer, const tf::NodeDef& node) {
  const auto value = node.attr().find("value");
  if (value == node.attr().end() || !value->second.has_tensor())
    return Fail(ErrorCode::kDataLoss, "{}: it has no value", Describe(node));
  const tf::TensorProto& proto = value->second.tensor();
  if (proto.dtype() == tf::DT_BOOL) return ImportBool(node, proto);
  if (!DTypeFromProto(proto.dtype(), "")) return Item(Unknown{&node});  // strings and others that we do not compute
  HEADRACE_ASSIGN(Tensor tensor, importer.variables().ReadConst(node));
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

Result<Items> ImportIdentityN(GraphImporter& importer, const tf::NodeDef& node) {
  Items items;
  for (int i = 0; i < DataInputs(node); ++i) {
    HEADRACE_ASSIGN(Item item, importer.Input(node, i));
    items.push_back(std::move(item));
  }
  if (items.empty()) items.push_back(Unknown{&node});
  return items;
}

Result<Item> ImportLogicalNot(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const uint8_t* value = BoolOf(item);
  if (value == nullptr) return Item(Unknown{&node});
  Tensor result(DType::kUInt8, {});
  result.data<uint8_t>()[0] = *value == 0 ? 1 : 0;
  return Item(Constant{std::move(result), node.name()});
}

// TensorFlow 1's conditions: Switch(data, predicate) hands data to one of two sides, Merge takes the side that lives.
// The learning phase is such a predicate, a placeholder whose default is false.
Result<Items> ImportSwitch(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Item data, importer.Input(node, 0));
  HEADRACE_ASSIGN(const Item predicate, importer.Input(node, 1));
  const uint8_t* taken = BoolOf(predicate);
  if (taken == nullptr) return Items{Unknown{&node}, Unknown{&node}};
  if (*taken != 0) return Items{Dead{}, std::move(data)};
  return Items{std::move(data), Dead{}};
}

Result<Items> ImportMerge(GraphImporter& importer, const tf::NodeDef& node) {
  Items live;
  for (int i = 0; i < DataInputs(node); ++i) {
    HEADRACE_ASSIGN(Item item, importer.Input(node, i));
    if (!std::holds_alternative<Dead>(item)) live.push_back(std::move(item));
  }
  if (live.empty()) return Items{Dead{}, Dead{}};
  if (live.size() > 1) return Items{Unknown{&node}, Unknown{&node}};
  return Items{std::move(live[0]), Unknown{&node}};
}

}  // namespace headrace::savedmodel
