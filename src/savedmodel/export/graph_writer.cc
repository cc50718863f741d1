#include "savedmodel/export/graph_writer.h"

#include <cctype>

namespace headrace::savedmodel {
namespace {

// TensorFlow's node names: [A-Za-z0-9.][A-Za-z0-9_.\/>-]*
std::string Valid(std::string_view name) {
  std::string valid;
  for (const char c : name) {
    const bool fine =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._/>-").find(c) != std::string_view::npos;
    valid.push_back(fine ? c : '_');
  }
  const bool start = !valid.empty() && (std::isalnum(static_cast<unsigned char>(valid[0])) != 0 || valid[0] == '.');
  return start ? valid : "x" + valid;
}

}  // namespace

NodeWriter& NodeWriter::Type(const char* name, tf::DataType type) {
  (*node_->mutable_attr())[name].set_type(type);
  return *this;
}
NodeWriter& NodeWriter::Types(const char* name, const std::vector<tf::DataType>& types) {
  auto* list = (*node_->mutable_attr())[name].mutable_list();
  for (const tf::DataType type : types) list->add_type(type);
  return *this;
}
NodeWriter& NodeWriter::Int(const char* name, int64_t value) {
  (*node_->mutable_attr())[name].set_i(value);
  return *this;
}
NodeWriter& NodeWriter::Ints(const char* name, const std::vector<int64_t>& values) {
  auto* list = (*node_->mutable_attr())[name].mutable_list();
  for (const int64_t value : values) list->add_i(value);
  return *this;
}
NodeWriter& NodeWriter::Float(const char* name, float value) {
  (*node_->mutable_attr())[name].set_f(value);
  return *this;
}
NodeWriter& NodeWriter::Bool(const char* name, bool value) {
  (*node_->mutable_attr())[name].set_b(value);
  return *this;
}
NodeWriter& NodeWriter::String(const char* name, std::string_view value) {
  (*node_->mutable_attr())[name].set_s(std::string(value));
  return *this;
}
NodeWriter& NodeWriter::ShapeOf(const char* name, const Shape& shape) {
  auto* proto = (*node_->mutable_attr())[name].mutable_shape();
  for (const int64_t dim : shape.dims()) proto->add_dim()->set_size(dim);
  return *this;
}
tf::TensorProto& NodeWriter::Value() { return *(*node_->mutable_attr())["value"].mutable_tensor(); }

NodeWriter GraphWriter::Add(std::string_view op, std::string_view name, const std::vector<std::string>& inputs) {
  tf::NodeDef* node = graph_->add_node();
  node->set_name(Unique(name));
  node->set_op(std::string(op));
  for (const std::string& input : inputs) node->add_input(input);
  return NodeWriter(node);
}

std::string GraphWriter::AddFloat(std::string_view op, std::string_view name, const std::vector<std::string>& inputs) {
  return Add(op, name, inputs).Type("T", tf::DT_FLOAT).name();
}

std::string GraphWriter::FloatConst(std::string_view name, float value) {
  NodeWriter node = Add("Const", name);
  node.Type("dtype", tf::DT_FLOAT).Value().set_dtype(tf::DT_FLOAT);
  node.Value().mutable_tensor_shape();
  node.Value().add_float_val(value);
  return node.name();
}

std::string GraphWriter::IntsConst(std::string_view name, const std::vector<int32_t>& values, const Shape& shape) {
  NodeWriter node = Add("Const", name);
  node.Type("dtype", tf::DT_INT32).Value().set_dtype(tf::DT_INT32);
  for (const int64_t dim : shape.dims()) node.Value().mutable_tensor_shape()->add_dim()->set_size(dim);
  for (const int32_t value : values) node.Value().add_int_val(value);
  return node.name();
}

std::string GraphWriter::StringsConst(std::string_view name, const std::vector<std::string>& values) {
  NodeWriter node = Add("Const", name);
  node.Type("dtype", tf::DT_STRING).Value().set_dtype(tf::DT_STRING);
  node.Value().mutable_tensor_shape()->add_dim()->set_size(static_cast<int64_t>(values.size()));
  for (const std::string& value : values) node.Value().add_string_val(value);
  return node.name();
}

std::string GraphWriter::StringConst(std::string_view name, std::string_view value) {
  NodeWriter node = Add("Const", name);
  node.Type("dtype", tf::DT_STRING).Value().set_dtype(tf::DT_STRING);
  node.Value().mutable_tensor_shape();
  node.Value().add_string_val(std::string(value));
  return node.name();
}

std::string GraphWriter::Unique(std::string_view name) {
  const std::string valid = Valid(name);
  std::string unique = valid;
  int& next = taken_[valid];
  while (next > 0) {
    unique = valid + "_" + std::to_string(next++);
    if (taken_.count(unique) == 0) break;
  }
  if (next == 0) next = 1;
  if (unique != valid) taken_[unique] = 1;
  return unique;
}

}  // namespace headrace::savedmodel
