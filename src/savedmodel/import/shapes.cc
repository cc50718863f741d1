// Shapes: what graphs compute from them, and operations that only move elements. The batch is -1 in a shape; as -1 it
// passes through slices and packs, and comes back as the first number of a Reshape.
#include <algorithm>
#include <optional>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

int64_t RowSize(const Shape& shape) {
  int64_t size = 1;
  for (size_t axis = 1; axis < shape.rank(); ++axis) size *= shape[axis];
  return size;
}

// `dims` with one -1 replaced so that it has `elements`; none when that cannot be.
std::optional<Shape> Completed(std::vector<int64_t> dims, int64_t elements) {
  int64_t product = 1;
  int64_t* open = nullptr;
  for (int64_t& dim : dims) {
    if (dim == -1 && open == nullptr) {
      open = &dim;
    } else if (dim < 0 || __builtin_mul_overflow(product, dim, &product)) {
      return std::nullopt;
    }
  }
  if (open != nullptr) {
    if (product < 1 || elements % product != 0) return std::nullopt;
    *open = elements / product;
    product *= *open;
  }
  return product == elements ? std::optional(Shape(std::move(dims))) : std::nullopt;
}

tl::unexpected<Error> FailReshape(const tf::NodeDef& node, const Shape& from, const std::vector<int64_t>& to) {
  return Fail(ErrorCode::kInvalidArgument, "{}: wanted a reshape of {} that keeps the batch, found {}", Describe(node),
              from.ToString(), Shape(to).ToString());
}

std::vector<int64_t> RowsOf(const Shape& shape) {
  return {shape.dims().begin() + (shape.dims().empty() || shape[0] != -1 ? 0 : 1), shape.dims().end()};
}

// Whether [m, c] are the elements of `in` by its last axis: m is unknown, or as many times the batch as there are.
bool IsMatrixOf(const Shape& in, const std::vector<int64_t>& target) {
  const int64_t c = in.rank() > 1 ? in[in.rank() - 1] : 0;
  return target.size() == 2 && c > 0 && target[1] == c && (target[0] == -1 || target[0] == -(RowSize(in) / c));
}

// The shape of rows that are no activation: strings, numbers of elements.
Result<Shape> ReshapedRows(const tf::NodeDef& node, const Shape& in, const std::vector<int64_t>& target) {
  const auto row =
      target.empty() || target[0] != -1 ? std::nullopt : Completed({target.begin() + 1, target.end()}, RowSize(in));
  if (!row) return FailReshape(node, in, target);
  std::vector<int64_t> dims = row->dims();
  dims.insert(dims.begin(), -1);
  return Shape(std::move(dims));
}

// The same elements in another shape, for a constant or an activation.
Result<Item> Reshaped(GraphImporter& importer, const tf::NodeDef& node, const Item& item, std::vector<int64_t> target) {
  if (const auto* constant = std::get_if<Constant>(&item)) {
    const auto shape = Completed(target, constant->value.size());
    if (!shape) return FailReshape(node, constant->value.shape(), target);
    return Item(Constant{constant->value.Reshape(*shape), constant->name, constant->symbolic});
  }
  if (const auto* raw = std::get_if<RawValue>(&item)) return ReshapeRaw(importer, node, *raw, target);
  if (const auto* strings = std::get_if<StringValue>(&item)) {
    HEADRACE_ASSIGN(Shape shape, ReshapedRows(node, strings->shape, target));
    return Item(StringValue{strings->tensor, std::move(shape)});
  }
  if (const auto* largest = std::get_if<IndexValue>(&item)) {
    HEADRACE_ASSIGN(Shape shape, ReshapedRows(node, largest->shape, target));
    return Item(IndexValue{largest->x, largest->axis, std::move(shape), largest->as_text});
  }
  const auto* merged = std::get_if<MergedValue>(&item);
  int x = merged != nullptr ? merged->index : 0;
  if (merged == nullptr) {
    HEADRACE_ASSIGN(x, importer.Activation(node, 0));
  }
  const Shape in = importer.ShapeAt(x);
  if (target.empty()) return FailReshape(node, in, target);
  std::vector<int64_t> row(target.begin() + 1, target.end());
  // [-1, …] keeps the batch; so does a first number that leaves the only -1 to be the batch's multiple of one.
  const auto shape = target[0] == -1 ? Completed(row, RowSize(in)) : std::nullopt;
  if (!shape && IsMatrixOf(in, target)) return Item(MergedValue{x});
  if (!shape) return FailReshape(node, in, target);
  if (in.rank() == target.size() && RowsOf(*shape) == RowsOf(in)) return Item(GraphValue{x});  // as it is
  row = shape->dims();
  row.insert(row.begin(), -1);
  return importer.Emit(node, keras::FlattenOp{}, {x}, Shape(std::move(row)));
}

// Of a constant or an activation.
Result<Shape> ShapeOf(GraphImporter& importer, const tf::NodeDef& node, const Item& item) {
  if (const auto* constant = std::get_if<Constant>(&item)) return constant->value.shape();
  if (const auto* strings = std::get_if<StringValue>(&item)) return strings->shape;
  if (const auto* largest = std::get_if<IndexValue>(&item)) return largest->shape;
  if (std::holds_alternative<RawValue>(item)) return Shape{-1, 0};  // the rows' length is not known, and of no use
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  return importer.ShapeAt(x);
}

Result<Item> ConcatConstants(GraphImporter& importer, const tf::NodeDef& node, int count) {
  std::vector<int64_t> all;
  bool symbolic = false;
  for (int i = 0; i < count; ++i) {
    HEADRACE_ASSIGN(const Constant constant, importer.ConstantInput(node, i));
    if (constant.value.dtype() == DType::kFloat32 || constant.value.shape().rank() != 1) return Item(Unknown{&node});
    HEADRACE_ASSIGN(const auto values, importer.IntsInput(node, i));
    all.insert(all.end(), values.begin(), values.end());
    symbolic = symbolic || constant.symbolic;
  }
  return IntConstant(node, all, {static_cast<int64_t>(all.size())}, symbolic);
}

}  // namespace

Item IntConstant(const tf::NodeDef& node, const std::vector<int64_t>& values, Shape shape, bool symbolic) {
  Tensor tensor(DType::kInt32, std::move(shape));
  for (size_t i = 0; i < values.size(); ++i)
    tensor.data<int32_t>()[i] = static_cast<int32_t>(std::clamp<int64_t>(values[i], INT32_MIN, INT32_MAX));
  return Constant{std::move(tensor), node.name(), symbolic};
}

Result<Item> ImportShape(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (std::holds_alternative<Unknown>(item)) return item;
  HEADRACE_ASSIGN(const Shape shape, ShapeOf(importer, node, item));
  return IntConstant(node, shape.dims(), {static_cast<int64_t>(shape.rank())}, true);
}

Result<Item> ImportPack(GraphImporter& importer, const tf::NodeDef& node) {
  std::vector<int64_t> all;
  bool symbolic = false;
  for (int i = 0; i < DataInputs(node); ++i) {
    HEADRACE_ASSIGN(const Item item, importer.Input(node, i));
    const auto* constant = std::get_if<Constant>(&item);
    if (constant == nullptr || constant->value.size() != 1 || constant->value.dtype() == DType::kFloat32)
      return Item(Unknown{&node});
    HEADRACE_ASSIGN(const auto values, importer.IntsInput(node, i));
    all.push_back(values[0]);
    symbolic = symbolic || constant->symbolic;
  }
  return IntConstant(node, all, {static_cast<int64_t>(all.size())}, symbolic);
}

Result<Item> ImportProd(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const auto* list = std::get_if<Constant>(&item);
  if (list == nullptr || list->value.dtype() == DType::kFloat32 || list->value.shape().rank() != 1)
    return Item(Unknown{&node});
  HEADRACE_ASSIGN(const auto values, importer.IntsInput(node, 0));
  int64_t product = 1, batches = 0;
  for (const int64_t value : values) {
    batches += list->symbolic && value < 0 ? 1 : 0;
    if (batches > 1 || __builtin_mul_overflow(product, value, &product)) return Item(Unknown{&node});
  }
  if (std::abs(product) > INT32_MAX) return Item(Unknown{&node});
  return IntConstant(node, {product}, {}, batches == 1);
}

// Activations are float32 whatever the graph calls them; of constants, whole numbers stay what they are.
Result<Item> ImportCast(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const auto to = node.attr().find("DstT");
  const bool to_float = to != node.attr().end() && to->second.type() == tf::DT_FLOAT;
  if (const auto* constant = std::get_if<Constant>(&item)) {
    const bool ints = constant->value.dtype() == DType::kInt32 || constant->value.dtype() == DType::kInt64;
    const auto type = to == node.attr().end() ? tf::DT_INVALID : to->second.type();
    if (ints && (type == tf::DT_INT32 || type == tf::DT_INT64)) return item;
    if (constant->value.dtype() == DType::kFloat32 && to_float) return item;
    if (ints && to_float && !constant->symbolic)
      return Item(Constant{constant->value.Cast(DType::kFloat32), constant->name});
    return Item(Unknown{&node});
  }
  if (std::holds_alternative<IndexValue>(item)) {  // whole numbers as whole numbers
    const bool whole =
        to != node.attr().end() && (to->second.type() == tf::DT_INT32 || to->second.type() == tf::DT_INT64);
    return whole ? item : Item(Unknown{&node});
  }
  const auto* value = std::get_if<GraphValue>(&item);
  const auto* raw = std::get_if<RawValue>(&item);
  if ((value == nullptr && raw == nullptr) || to_float)
    return value != nullptr || raw != nullptr || std::holds_alternative<Unknown>(item) ? item : Item(Unknown{&node});
  const auto type = to == node.attr().end() ? tf::DT_INVALID : to->second.type();
  if (raw != nullptr) {
    const bool kept = raw->tensor.dtype != DType::kFloat32 && (type == tf::DT_INT32 || type == tf::DT_INT64);
    return kept ? Result<Item>(item) : FailRaw(node, *raw);
  }
  if (type != tf::DT_INT32 && type != tf::DT_INT64) return Item(Unknown{&node});
  if (importer.IsInteger(value->index)) return item;
  return importer.Emit(node, keras::PointwiseOp{tensor::Pointwise::kTruncate}, {value->index},
                       Shape(importer.ShapeAt(value->index)));
}

Result<Item> ImportReshape(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (std::holds_alternative<Unknown>(item)) return item;
  HEADRACE_ASSIGN(auto target, importer.IntsInput(node, 1));
  return Reshaped(importer, node, item, std::move(target));
}

Result<Item> ImportSqueeze(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (std::holds_alternative<Unknown>(item)) return item;
  HEADRACE_ASSIGN(const Shape in, ShapeOf(importer, node, item));
  std::vector<int64_t> axes = IntsAttribute(node, "squeeze_dims", IntsAttribute(node, "axis", {}));
  for (int64_t& axis : axes) axis = WrapAxis(axis, in.rank());
  std::vector<int64_t> dims;
  for (size_t axis = 0; axis < in.rank(); ++axis) {
    const bool named = std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
    if (in[axis] != 1 || (!axes.empty() && !named)) dims.push_back(in[axis]);
  }
  return Reshaped(importer, node, item, std::move(dims));
}

Result<Item> ImportExpandDims(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (std::holds_alternative<Unknown>(item)) return item;
  HEADRACE_ASSIGN(const Shape in, ShapeOf(importer, node, item));
  HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, 1));
  const int64_t axis = axes.empty() ? -100 : WrapAxis(axes[0], in.rank() + 1);
  if (axes.size() != 1 || axis < 0 || axis > static_cast<int64_t>(in.rank()))
    return Fail(ErrorCode::kInvalidArgument, "{}: no axis of {}", Describe(node), in.ToString());
  std::vector<int64_t> dims = in.dims();
  dims.insert(dims.begin() + axis, 1);
  return Reshaped(importer, node, item, std::move(dims));
}

Result<Item> ImportConcat(GraphImporter& importer, const tf::NodeDef& node) {
  const int count = DataInputs(node) - 1;
  if (count < 1) return Fail(ErrorCode::kDataLoss, "{}: nothing to join", Describe(node));
  std::vector<int> values;
  int constants = 0;
  for (int i = 0; i < count; ++i) {
    HEADRACE_ASSIGN(const Item item, importer.Input(node, i));
    if (std::holds_alternative<Unknown>(item)) return item;
    constants += std::holds_alternative<Constant>(item) ? 1 : 0;
  }
  if (constants == count) return ConcatConstants(importer, node, count);
  HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, count));
  Shape shape;
  for (int i = 0; i < count; ++i) {
    HEADRACE_ASSIGN(const int value, importer.Activation(node, i));
    const Shape& own = importer.ShapeAt(value);
    const int64_t axis = axes.size() == 1 ? WrapAxis(axes[0], own.rank()) : -1;
    bool fits = axis >= 1 && axis < static_cast<int64_t>(own.rank()) && (i == 0 || own.rank() == shape.rank());
    for (size_t k = 0; fits && i > 0 && k < own.rank(); ++k)
      fits = static_cast<int64_t>(k) == axis || own[k] == shape[k];
    if (!fits)
      return Fail(ErrorCode::kInvalidArgument, "{}: it joins {} and {} along axis {}", Describe(node), shape.ToString(),
                  own.ToString(), axis);
    if (i == 0) {
      shape = own;
    } else if (__builtin_add_overflow(shape[static_cast<size_t>(axis)], own[static_cast<size_t>(axis)],
                                      &shape[static_cast<size_t>(axis)])) {
      return Fail(ErrorCode::kInvalidArgument, "{}: too large", Describe(node));
    }
    values.push_back(value);
  }
  if (count == 1) return Item(GraphValue{values[0]});
  const int64_t axis = WrapAxis(axes[0], shape.rank());
  return importer.Emit(node, keras::ConcatOp{axis}, std::move(values), std::move(shape));
}

Result<Item> ImportTranspose(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, 1));
  const Shape in = importer.ShapeAt(x);
  std::vector<int64_t> sorted = axes, dims;
  std::sort(sorted.begin(), sorted.end());
  bool fine = axes.size() == in.rank() && !axes.empty() && axes[0] == 0;
  for (size_t i = 0; fine && i < sorted.size(); ++i) fine = sorted[i] == static_cast<int64_t>(i);
  if (!fine)
    return Fail(ErrorCode::kInvalidArgument, "{}: axes {} of {}, wanted an order that keeps the batch first",
                Describe(node), Shape(axes).ToString(), in.ToString());
  if (axes == sorted) return Item(GraphValue{x});
  for (const int64_t axis : axes) dims.push_back(in[static_cast<size_t>(axis)]);
  return importer.Emit(node, keras::TransposeOp{axes}, {x}, Shape(std::move(dims)));
}

}  // namespace headrace::savedmodel
