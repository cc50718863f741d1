// What classifiers tell beside scores: numbers of the best classes, their digits, and the names of all classes, the
// same for every row. None of it is computed in our graph. It stands behind it (LoadedGraph::outputs), and numbers stay
// exact where activations, in bfloat16 at times, could not hold them.
#include <algorithm>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

constexpr int64_t kMaxNumbers = 1 << 16;

// Whether constant strings are one row: ConstantStrings does not tell their shape.
bool IsOneRow(GraphImporter& importer, const tf::NodeDef& strings) {
  if (strings.op() == "Const") {
    const auto value = strings.attr().find("value");
    if (value == strings.attr().end()) return false;
    const tf::TensorShapeProto& shape = value->second.tensor().tensor_shape();
    return shape.dim_size() == 2 && shape.dim(0).size() == 1;
  }
  if (strings.op() == "AsString") {
    const auto numbers = importer.ConstantInput(strings, 0);
    return numbers && numbers->value.shape().rank() == 2 && numbers->value.dim(0) == 1;
  }
  const auto target = importer.IntsInput(strings, 1);  // of a reshape, or an axis
  if (strings.op() == "Reshape") return target && target->size() == 2 && (*target)[0] == 1;
  return strings.op() == "ExpandDims" && target && *target == std::vector<int64_t>{0};
}

// A row of constant strings; none when the input is something else.
std::optional<std::vector<std::string>> StringRow(GraphImporter& importer, const tf::NodeDef& node) {
  const auto source = importer.index().Input(node, 0);
  if (!source || !IsOneRow(importer, *source->first)) return std::nullopt;
  auto strings = ConstantStrings(importer, node, 0);
  return strings ? std::optional(std::move(*strings)) : std::nullopt;
}

}  // namespace

Result<Item> ImportArgMax(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, 1));
  const Shape in = importer.ShapeAt(x);
  const int64_t axis = axes.size() == 1 ? WrapAxis(axes[0], in.rank()) : -1;
  if (axis < 1 || axis >= static_cast<int64_t>(in.rank()))
    return Fail(ErrorCode::kInvalidArgument, "{}: the largest of {} along {}, wanted one axis but the batch",
                Describe(node), in.ToString(), Shape(axes).ToString());
  std::vector<int64_t> dims = in.dims();
  dims.erase(dims.begin() + axis);
  return Item(IndexValue{x, static_cast<size_t>(axis), Shape(std::move(dims))});
}

bool IsPlainAsString(const tf::NodeDef& node) {
  return node.op() == "AsString" && IntAttribute(node, "precision", -1) == -1 &&
         IntAttribute(node, "width", -1) == -1 && StringAttribute(node, "fill", "").empty() &&
         !BoolAttribute(node, "scientific", false) && !BoolAttribute(node, "shortest", false);
}

// Of class numbers. Of constants it is found by ConstantStrings.
Result<Item> ImportAsString(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Item item, importer.Input(node, 0));
  auto* largest = std::get_if<IndexValue>(&item);
  if (largest == nullptr || !IsPlainAsString(node) || importer.ShapeAt(largest->x)[largest->axis] > kMaxNumbers)
    return Item(Unknown{&node});
  largest->as_text = true;
  return item;
}

Result<Item> ImportRange(GraphImporter& importer, const tf::NodeDef& node) {
  for (int i = 0; i < 3; ++i) {
    HEADRACE_ASSIGN(const Item item, importer.Input(node, i));
    const auto* constant = std::get_if<Constant>(&item);
    if (constant == nullptr || constant->symbolic || constant->value.size() != 1 ||
        constant->value.dtype() == DType::kFloat32)
      return Item(Unknown{&node});
  }
  HEADRACE_ASSIGN(const auto start, importer.IntsInput(node, 0));
  HEADRACE_ASSIGN(const auto limit, importer.IntsInput(node, 1));
  HEADRACE_ASSIGN(const auto step, importer.IntsInput(node, 2));
  const bool small = start[0] >= 0 && limit[0] >= start[0] && limit[0] <= kMaxNumbers && step[0] >= 1;
  if (!small) return Item(Unknown{&node});
  std::vector<int64_t> numbers;
  for (int64_t number = start[0]; number < limit[0]; number += std::min(step[0], kMaxNumbers))
    numbers.push_back(number);
  return IntConstant(node, numbers, {static_cast<int64_t>(numbers.size())}, false);
}

Result<std::optional<Item>> RepeatedRow(GraphImporter& importer, const tf::NodeDef& node) {
  const auto multiples = importer.IntsInput(node, 1);
  bool once = multiples && !multiples->empty() && (*multiples)[0] == -1;  // as many times as there are rows
  for (size_t axis = 1; once && axis < multiples->size(); ++axis) once = (*multiples)[axis] == 1;
  if (!once) return std::optional<Item>();
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const size_t rank = multiples->size();
  const auto* constant = std::get_if<Constant>(&item);
  if (constant != nullptr && !constant->symbolic && constant->value.shape().rank() == rank &&
      constant->value.dim(0) == 1 && constant->value.size() > 0) {
    Shape shape = constant->value.shape();
    shape[0] = -1;
    return std::optional(Item(RowConstant{constant->value, {}, std::move(shape)}));
  }
  auto strings = std::holds_alternative<Unknown>(item) && rank == 2 ? StringRow(importer, node) : std::nullopt;
  if (!strings || strings->empty()) return std::optional<Item>();
  Tensor numbers(DType::kInt32, {1, static_cast<int64_t>(strings->size())});
  for (size_t i = 0; i < strings->size(); ++i) numbers.data<int32_t>()[i] = static_cast<int32_t>(i);
  const Shape shape = {-1, numbers.dim(1)};
  return std::optional(Item(RowConstant{std::move(numbers), std::move(*strings), shape}));
}

}  // namespace headrace::savedmodel
