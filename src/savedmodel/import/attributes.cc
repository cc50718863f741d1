#include "savedmodel/import/attributes.h"

#include "headrace/tensor.h"

#include "savedmodel/import/node_index.h"

namespace headrace::savedmodel {
namespace {

const tf::AttrValue* Find(const tf::NodeDef& node, const char* name) {
  const auto found = node.attr().find(name);
  return found == node.attr().end() ? nullptr : &found->second;
}

}  // namespace

bool BoolAttribute(const tf::NodeDef& node, const char* name, bool fallback) {
  const tf::AttrValue* value = Find(node, name);
  return value == nullptr ? fallback : value->b();
}

int64_t IntAttribute(const tf::NodeDef& node, const char* name, int64_t fallback) {
  const tf::AttrValue* value = Find(node, name);
  return value == nullptr ? fallback : value->i();
}

float FloatAttribute(const tf::NodeDef& node, const char* name, float fallback) {
  const tf::AttrValue* value = Find(node, name);
  return value == nullptr ? fallback : value->f();
}

std::string StringAttribute(const tf::NodeDef& node, const char* name, const char* fallback) {
  const tf::AttrValue* value = Find(node, name);
  return value == nullptr ? fallback : value->s();
}

std::vector<int64_t> IntsAttribute(const tf::NodeDef& node, const char* name, std::vector<int64_t> fallback) {
  const tf::AttrValue* value = Find(node, name);
  if (value == nullptr) return fallback;
  return {value->list().i().begin(), value->list().i().end()};
}

int64_t ListSize(const tf::NodeDef& node, const char* name) {
  const tf::AttrValue* value = Find(node, name);
  return value == nullptr ? 0 : value->list().type_size();
}

Result<std::array<int64_t, 2>> SpatialAttribute(const tf::NodeDef& node, const char* name) {
  constexpr int64_t kMax = int64_t{1} << 20;
  const std::vector<int64_t> v = IntsAttribute(node, name, {1, 1, 1, 1});
  if (v.size() != 4 || v[0] != 1 || v[3] != 1 || v[1] < 1 || v[2] < 1 || v[1] > kMax || v[2] > kMax)
    return Fail(ErrorCode::kInvalidArgument, "{}: its {} are {}, wanted (1, height, width, 1)", Describe(node), name,
                Shape(v).ToString());
  return std::array<int64_t, 2>{v[1], v[2]};
}

Status RequireChannelsLast(const tf::NodeDef& node) {
  const std::string format = StringAttribute(node, "data_format", "NHWC");
  if (format != "NHWC")
    return Fail(ErrorCode::kInvalidArgument, "{}: its data_format is {}, wanted NHWC", Describe(node), format);
  return {};
}

}  // namespace headrace::savedmodel
