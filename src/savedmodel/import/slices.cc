// Operations that take a part of a tensor, or repeat it; of shapes, too.
#include <algorithm>
#include <limits>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

// One axis of a slice.
struct AxisSlice {
  int64_t begin = 0, size = 0, step = 1;
  bool dropped = false;  // the axis is not in the result
};

int64_t CountOf(int64_t begin, int64_t end, int64_t step) {
  const int64_t length = step > 0 ? end - begin : begin - end, size = std::abs(step);
  return length <= 0 ? 0 : (length + size - 1) / size;
}

bool Bit(int64_t mask, size_t i) { return i < 63 && (mask >> i & 1) != 0; }

// StridedSlice's arguments, one entry an entry of its lists.
struct Entries {
  std::vector<int64_t> begins, ends, steps;
  int64_t begin_mask = 0, end_mask = 0, shrink_mask = 0, ellipsis_mask = 0;
};
Result<Entries> ReadEntries(GraphImporter& importer, const tf::NodeDef& node) {
  Entries entries;
  HEADRACE_ASSIGN(entries.begins, importer.IntsInput(node, 1));
  HEADRACE_ASSIGN(entries.ends, importer.IntsInput(node, 2));
  HEADRACE_ASSIGN(entries.steps, importer.IntsInput(node, 3));
  entries.begin_mask = IntAttribute(node, "begin_mask", 0);
  entries.end_mask = IntAttribute(node, "end_mask", 0);
  entries.shrink_mask = IntAttribute(node, "shrink_axis_mask", 0);
  entries.ellipsis_mask = IntAttribute(node, "ellipsis_mask", 0);
  const size_t count = entries.begins.size();
  const bool fits = entries.ends.size() == count && entries.steps.size() == count && count < 63 &&
                    std::find(entries.steps.begin(), entries.steps.end(), 0) == entries.steps.end();
  if (!fits || IntAttribute(node, "new_axis_mask", 0) != 0)
    return Fail(ErrorCode::kInvalidArgument, "{}: wanted a begin, end and stride an axis, and no new axis",
                Describe(node));
  return entries;
}

// Entry `i` of the lists on an axis of `size`; none when it lies outside.
std::optional<AxisSlice> SliceOfAxis(const Entries& entries, size_t i, int64_t size) {
  const int64_t step = entries.steps[i];
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  const auto place = [&](int64_t at) { return std::clamp(at < 0 ? at + size : at, low, high); };
  if (Bit(entries.shrink_mask, i)) {
    const int64_t at = entries.begins[i] < 0 ? entries.begins[i] + size : entries.begins[i];
    return at < 0 || at >= size ? std::nullopt : std::optional(AxisSlice{at, 1, 1, true});
  }
  const int64_t begin = Bit(entries.begin_mask, i) ? (step > 0 ? low : high) : place(entries.begins[i]);
  const int64_t end = Bit(entries.end_mask, i) ? (step > 0 ? high : low) : place(entries.ends[i]);
  return AxisSlice{begin, CountOf(begin, end, step), step, false};
}

// Which entry belongs to each axis of `rank`; -1: all of the axis. The ellipsis stands for those between.
Result<std::vector<int>> EntryOfAxis(const tf::NodeDef& node, const Entries& entries, size_t rank) {
  std::vector<int> of_axis;
  const size_t count = entries.begins.size();
  for (size_t i = 0; i < count; ++i) {
    if (!Bit(entries.ellipsis_mask, i)) {
      of_axis.push_back(static_cast<int>(i));
    } else if (count - 1 <= rank) {
      of_axis.insert(of_axis.end(), rank - (count - 1), -1);
    }
  }
  if (of_axis.size() > rank)
    return Fail(ErrorCode::kInvalidArgument, "{}: {} slices of {} dimensions", Describe(node), of_axis.size(), rank);
  of_axis.resize(rank, -1);
  return of_axis;
}

Result<std::vector<AxisSlice>> ReadSlices(GraphImporter& importer, const tf::NodeDef& node, const Shape& in) {
  HEADRACE_ASSIGN(const Entries entries, ReadEntries(importer, node));
  HEADRACE_ASSIGN(const std::vector<int> of_axis, EntryOfAxis(node, entries, in.rank()));
  std::vector<AxisSlice> slices;
  for (size_t axis = 0; axis < in.rank(); ++axis) {
    const bool batch = in[axis] < 0;
    // Of a batch, whose size nobody knows, only all: a large number stands for it.
    const int64_t size = batch ? int64_t{std::numeric_limits<int32_t>::max()} : in[axis];
    const auto slice = of_axis[axis] < 0 ? std::optional(AxisSlice{0, size, 1, false})
                                         : SliceOfAxis(entries, static_cast<size_t>(of_axis[axis]), size);
    if (!slice || (batch && (slice->begin != 0 || slice->size < size || slice->step != 1 || slice->dropped)))
      return Fail(ErrorCode::kInvalidArgument,
                  "{}: it slices axis {} of {}, wanted all of the batch and a part of others", Describe(node), axis,
                  in.ToString());
    slices.push_back(*slice);
  }
  return slices;
}

Result<Item> EmitSlice(GraphImporter& importer, const tf::NodeDef& node, int x, const std::vector<AxisSlice>& slices) {
  const Shape in = importer.ShapeAt(x);
  keras::SliceOp op;
  std::vector<int64_t> sizes, kept;
  bool all = true;
  for (size_t axis = 0; axis < in.rank(); ++axis) {
    const AxisSlice& slice = slices[axis];
    const bool batch = axis == 0;
    op.begins.push_back(batch ? 0 : slice.begin);
    op.steps.push_back(batch ? 1 : slice.step);
    sizes.push_back(batch ? -1 : slice.size);
    if (!slice.dropped) kept.push_back(sizes.back());
    all = all && sizes.back() == in[axis] && op.steps.back() == 1;
  }
  int value = x;
  if (!all) {
    HEADRACE_ASSIGN(const Item item, importer.Emit(node, op, {x}, Shape(sizes)));
    value = std::get<GraphValue>(item).index;
  }
  if (kept.size() == sizes.size()) return Item(GraphValue{value});
  return importer.Emit(node, keras::FlattenOp{}, {value}, Shape(std::move(kept)));
}

// Of a list of whole numbers, as shapes are.
Result<Item> SliceList(GraphImporter& importer, const tf::NodeDef& node, const Constant& list) {
  if (list.value.shape().rank() != 1 || list.value.dtype() == DType::kFloat32) return Item(Unknown{&node});
  HEADRACE_ASSIGN(const auto values, importer.IntsInput(node, 0));
  HEADRACE_ASSIGN(const auto slices, ReadSlices(importer, node, list.value.shape()));
  std::vector<int64_t> taken;
  for (int64_t i = 0; i < slices[0].size; ++i)
    taken.push_back(values[static_cast<size_t>(slices[0].begin + i * slices[0].step)]);
  const auto size = static_cast<int64_t>(taken.size());
  return IntConstant(node, taken, slices[0].dropped ? Shape{} : Shape{size}, list.symbolic);
}

// `count` slices along `axis`, each `size` long; without the axis when it is dropped.
Result<Items> SliceAlong(GraphImporter& importer, const tf::NodeDef& node, int x, int64_t axis, int64_t count,
                         bool drop) {
  const Shape in = importer.ShapeAt(x);
  const bool fits = axis >= 1 && axis < static_cast<int64_t>(in.rank()) && count >= 1 && count <= (1 << 16) &&
                    in[static_cast<size_t>(axis)] % count == 0;
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument, "{}: it splits {} into {} along axis {}", Describe(node), in.ToString(),
                count, axis);
  const int64_t size = in[static_cast<size_t>(axis)] / count;
  Items items;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<AxisSlice> slices;
    for (size_t k = 0; k < in.rank(); ++k) slices.push_back({0, in[k], 1, false});
    slices[static_cast<size_t>(axis)] = {i * size, size, 1, drop};
    HEADRACE_ASSIGN(Item item, EmitSlice(importer, node, x, slices));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

Result<Item> ImportStridedSlice(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (std::holds_alternative<Unknown>(item)) return item;
  if (const auto* list = std::get_if<Constant>(&item)) return SliceList(importer, node, *list);
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto slices, ReadSlices(importer, node, importer.ShapeAt(x)));
  return EmitSlice(importer, node, x, slices);
}

Result<Item> ImportSlice(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (!std::holds_alternative<GraphValue>(item)) return Item(Unknown{&node});
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto begins, importer.IntsInput(node, 1));
  HEADRACE_ASSIGN(const auto sizes, importer.IntsInput(node, 2));
  const Shape in = importer.ShapeAt(x);
  bool fits = begins.size() == in.rank() && sizes.size() == in.rank() && begins[0] == 0 && sizes[0] < 0;
  std::vector<AxisSlice> slices = {{0, -1, 1, false}};
  for (size_t axis = 1; fits && axis < in.rank(); ++axis) {
    fits = begins[axis] >= 0 && begins[axis] < in[axis] && sizes[axis] <= in[axis] - begins[axis];
    slices.push_back({begins[axis], sizes[axis] < 0 ? in[axis] - begins[axis] : sizes[axis], 1, false});
  }
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument,
                "{}: it takes {} from {} of {}, wanted all of the batch and a part of others", Describe(node),
                Shape(sizes).ToString(), Shape(begins).ToString(), in.ToString());
  return EmitSlice(importer, node, x, slices);
}

Result<Items> ImportSplit(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, 0));
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 1));
  const int64_t axis = axes.size() == 1 ? WrapAxis(axes[0], importer.ShapeAt(x).rank()) : -1;
  return SliceAlong(importer, node, x, axis, IntAttribute(node, "num_split", 0), false);
}

Result<Items> ImportUnpack(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const int64_t count = IntAttribute(node, "num", 0);
  if (const auto* list = std::get_if<Constant>(&item)) {
    if (list->value.shape() != Shape{count} || list->value.dtype() == DType::kFloat32) return Items{Unknown{&node}};
    HEADRACE_ASSIGN(const auto values, importer.IntsInput(node, 0));
    Items items;
    for (const int64_t value : values) items.push_back(IntConstant(node, {value}, {}, list->symbolic));
    return items;
  }
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  const Shape in = importer.ShapeAt(x);
  const int64_t axis = WrapAxis(IntAttribute(node, "axis", 0), in.rank());
  if (axis < 1 || axis >= static_cast<int64_t>(in.rank()) || in[static_cast<size_t>(axis)] != count)
    return Fail(ErrorCode::kInvalidArgument, "{}: it unpacks {} from {} along axis {}", Describe(node), count,
                in.ToString(), axis);
  return SliceAlong(importer, node, x, axis, count, true);
}

Result<Item> ImportTile(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(auto repeated, RepeatedRow(importer, node));
  if (repeated) return std::move(*repeated);
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto multiples, importer.IntsInput(node, 1));
  const Shape in = importer.ShapeAt(x);
  bool fits = multiples.size() == in.rank() && multiples[0] == 1;
  std::vector<int64_t> dims = in.dims();
  for (size_t axis = 1; fits && axis < dims.size(); ++axis)
    fits = multiples[axis] >= 1 && !__builtin_mul_overflow(dims[axis], multiples[axis], &dims[axis]);
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument, "{}: it repeats {} {} times, wanted the batch once", Describe(node),
                in.ToString(), Shape(multiples).ToString());
  if (dims == in.dims()) return Item(GraphValue{x});
  return importer.Emit(node, keras::TileOp{multiples}, {x}, Shape(std::move(dims)));
}

Result<Item> ImportBroadcastTo(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto target, importer.IntsInput(node, 1));
  const Shape in = importer.ShapeAt(x);
  bool fits = target.size() == in.rank() && target[0] == -1;
  std::vector<int64_t> multiples = {1};
  for (size_t axis = 1; fits && axis < in.rank(); ++axis) {
    fits = target[axis] == in[axis] || (in[axis] == 1 && target[axis] >= 1);
    multiples.push_back(in[axis] == 1 ? target[axis] : 1);
  }
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument, "{}: it makes {} of {}, wanted the batch kept", Describe(node),
                Shape(target).ToString(), in.ToString());
  if (target == in.dims()) return Item(GraphValue{x});
  return importer.Emit(node, keras::TileOp{multiples}, {x}, Shape(target));
}

// Numbers out of a shape, or rows out of a table whose numbers are an activation.
Result<Item> ImportGather(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Item table, importer.Input(node, 0));
  HEADRACE_ASSIGN(const Item numbers, importer.Input(node, 1));
  if (std::holds_alternative<Unknown>(table)) return table;
  if (std::holds_alternative<Unknown>(numbers)) return numbers;
  if (const auto* handle = std::get_if<VariableHandle>(&table)) {
    HEADRACE_ASSIGN(table, ImportVariable(importer, *handle->node));
  }
  const auto* rows = std::get_if<Constant>(&table);
  int64_t axis = 0;
  if (node.op() == "GatherV2") {
    HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, 2));
    axis = axes.size() == 1 ? axes[0] : -1;
  }
  if (rows == nullptr || axis != 0 || IntAttribute(node, "batch_dims", 0) != 0) return Item(Unknown{&node});
  if (const auto* list = std::get_if<Constant>(&numbers)) {
    if (rows->value.shape().rank() != 1 || rows->value.dtype() == DType::kFloat32) return Item(Unknown{&node});
    HEADRACE_ASSIGN(const auto values, importer.IntsInput(node, 0));
    HEADRACE_ASSIGN(const auto places, importer.IntsInput(node, 1));
    std::vector<int64_t> taken;
    for (const int64_t place : places) {
      if (place < 0 || place >= static_cast<int64_t>(values.size())) return Item(Unknown{&node});
      taken.push_back(values[static_cast<size_t>(place)]);
    }
    return IntConstant(node, taken, list->value.shape(), rows->symbolic);
  }
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 1));
  const Tensor& value = rows->value;
  if (value.dtype() != DType::kFloat32 || value.shape().rank() < 1 || value.size() < 1 || value.dim(0) > (1 << 24))
    return Fail(ErrorCode::kInvalidArgument, "{}: a table of {} {}, wanted float32 of 2^24 rows or fewer",
                Describe(node), NameOf(value.dtype()), value.shape().ToString());
  std::vector<int64_t> dims = importer.ShapeAt(x).dims();
  dims.insert(dims.end(), value.shape().dims().begin() + 1, value.shape().dims().end());
  auto variable = std::make_shared<keras::Variable>(
      keras::Variable{rows->name, true, value.Reshape({value.dim(0), value.size() / value.dim(0)})});
  return importer.Emit(node, keras::LookupOp{}, {x}, Shape(std::move(dims)), {std::move(variable)});
}

}  // namespace headrace::savedmodel
