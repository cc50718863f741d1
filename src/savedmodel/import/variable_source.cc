#include "savedmodel/import/variable_source.h"

#include <algorithm>

#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

// What importing may compute beside what the files hold, and beside this.
constexpr uint64_t kMadeBytes = uint64_t{1} << 30;
constexpr uint64_t kMadeTimes = 4;

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
  const std::string& key = KeyOf(variable);
  if (read_.count(key) == 0) {
    HEADRACE_ASSIGN(Tensor fresh, bundle_->Read(key));
    read_[key] = Keep(std::move(fresh));
  }
  const Tensor& value = read_.at(key);
  const auto attribute = variable.attr().find("shape");
  if (attribute == variable.attr().end() || attribute->second.shape().unknown_rank()) return value;
  HEADRACE_ASSIGN(const Shape wanted, ShapeFromProto(attribute->second.shape(), Describe(variable)));
  const auto& dims = wanted.dims();
  if (std::find(dims.begin(), dims.end(), -1) == dims.end() && wanted != value.shape())
    return Fail(ErrorCode::kDataLoss, "{}: its value has shape {}, wanted {}", Describe(variable),
                value.shape().ToString(), wanted.ToString());
  return value;
}

Tensor VariableSource::Keep(Tensor value) const {
  counted_.insert(value.raw());
  held_bytes_ += value.bytes();
  return value;
}

Result<Tensor> VariableSource::ReadConst(const tf::NodeDef& node) const {
  if (const auto known = constants_.find(node.name()); known != constants_.end()) return known->second;
  const tf::TensorProto& proto = node.attr().at("value").tensor();
  HEADRACE_ASSIGN(Tensor value, TensorFromProto(proto, Describe(node)));
  const bool whole = proto.tensor_content().size() == value.bytes();  // else its last value is repeated
  return constants_[node.name()] = whole ? Keep(std::move(value)) : std::move(value);
}

Status VariableSource::CountMade(const tf::NodeDef& node, const Tensor& value) const {
  if (!counted_.insert(value.raw()).second) return {};
  made_bytes_ += value.bytes();
  if (made_bytes_ <= kMadeBytes + kMadeTimes * held_bytes_) return {};
  return Fail(ErrorCode::kResourceExhausted,
              "{}: with its value of shape {} the constants that the graph makes take {} bytes, of {} in the files",
              Describe(node), value.shape().ToString(), made_bytes_, held_bytes_);
}

}  // namespace headrace::savedmodel
