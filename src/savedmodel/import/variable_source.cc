#include "savedmodel/import/variable_source.h"

#include <algorithm>

#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

// The element of a constant list of strings, whose last one repeats; null when `node` is no such list.
const std::string* StringAt(const tf::NodeDef& node, int i) {
  const auto value = node.attr().find("value");
  if (node.op() != "Const" || value == node.attr().end()) return nullptr;
  const auto& strings = value->second.tensor().string_val();
  return strings.empty() ? nullptr : &strings[std::min(i, strings.size() - 1)];
}

// For AssignVariableOp(variable, Identity(RestoreV2(file, names, slices):i)): names[i].
const std::string* RestoredName(const NodeIndex& index, const tf::NodeDef& assign) {
  auto source = index.Input(assign, 1);
  for (int steps = 0; source && source->first->op() == "Identity" && steps < 8; ++steps)  // a file may hold a cycle
    source = index.Input(*source->first, 0);
  if (!source || source->first->op() != "RestoreV2") return nullptr;
  const auto names = index.Input(*source->first, 1);
  return names ? StringAt(*names->first, source->second) : nullptr;
}

// For AssignVariableOp(copy, ReadVariableOp(variable)): variable.
const tf::NodeDef* CopiedVariable(const NodeIndex& index, const tf::NodeDef& assign) {
  const auto source = index.Input(assign, 1);
  if (!source || source->first->op() != "ReadVariableOp") return nullptr;
  const auto variable = index.Input(*source->first, 0);
  return variable ? variable->first : nullptr;
}

}  // namespace

VariableSource::VariableSource(const NodeIndex& index, std::optional<BundleReader> bundle)
    : bundle_(std::move(bundle)) {
  FindKeys(index);
}

void VariableSource::FindKeys(const NodeIndex& index) {
  for (const tf::NodeDef& node : index.graph().node()) {
    if (node.op() != "AssignVariableOp" && node.op() != "Assign") continue;
    const auto variable = index.Input(node, 0);
    const std::string* name = variable ? RestoredName(index, node) : nullptr;
    if (name != nullptr) keys_[variable->first->name()] = *name;
  }
  // Newer TensorFlow saves copies: each starts with the value of the variable that functions read, and it is the copy
  // that restoring fills.
  for (const tf::NodeDef& node : index.graph().node()) {
    if (node.op() != "AssignVariableOp") continue;
    const auto copy = index.Input(node, 0);
    const tf::NodeDef* variable = copy ? CopiedVariable(index, node) : nullptr;
    if (variable == nullptr || keys_.count(variable->name()) > 0) continue;
    if (const auto key = keys_.find(copy->first->name()); key != keys_.end()) keys_[variable->name()] = key->second;
  }
}

const std::string& VariableSource::KeyOf(const tf::NodeDef& variable) const {
  const auto found = keys_.find(variable.name());
  return found == keys_.end() ? variable.name() : found->second;
}

Result<Tensor> VariableSource::Read(const tf::NodeDef& variable) const {
  if (!bundle_)
    return Fail(ErrorCode::kNotFound, "{}: a variable in a SavedModel without variables/variables.index",
                Describe(variable));
  if (const auto known = read_.find(variable.name()); known != read_.end()) return known->second;
  HEADRACE_ASSIGN(Tensor value, bundle_->Read(KeyOf(variable)));
  const auto attribute = variable.attr().find("shape");
  if (attribute == variable.attr().end() || attribute->second.shape().unknown_rank())
    return read_[variable.name()] = value;
  HEADRACE_ASSIGN(const Shape wanted, ShapeFromProto(attribute->second.shape(), Describe(variable)));
  const auto& dims = wanted.dims();
  if (std::find(dims.begin(), dims.end(), -1) == dims.end() && wanted != value.shape())
    return Fail(ErrorCode::kDataLoss, "{}: its value has shape {}, wanted {}", Describe(variable),
                value.shape().ToString(), wanted.ToString());
  return read_[variable.name()] = value;
}

}  // namespace headrace::savedmodel
