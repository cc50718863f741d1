// Operations that put elements elsewhere.
#include "base/result.h"
#include "keras/operations/operation.h"

namespace headrace::keras::internal {

void GradientOf(GradientContext& g, const FlattenOp&) { g.Give(0, g.build.Reshape(g.dy, g.input_shape(0))); }

Kernels KernelsOf(const OperationContext& c, const ConcatOp& op) {
  int64_t rows = 1;
  for (int64_t axis = 0; axis < op.axis; ++axis) rows *= c.output.shape[static_cast<size_t>(axis)];
  std::vector<int64_t> widths;
  for (const Operand& input : c.inputs) widths.push_back(input.count() / rows);
  return {[=, &b = c.backend, dtype = c.output.dtype](const Stage& s) { b.Concat(rows, widths, dtype, s.x, s.y); }};
}

void GradientOf(GradientContext& g, const ConcatOp& op) {
  std::vector<int64_t> begins(g.value().shape.rank(), 0);
  const std::vector<int64_t> steps(begins.size(), 1);
  const auto axis = static_cast<size_t>(op.axis);
  for (size_t i = 0; i < g.value().inputs.size(); ++i) {
    const Shape part = g.input_shape(i);
    if (g.wants(i)) g.Give(i, g.build.Slice(g.dy, begins, part.dims(), steps));
    begins[axis] += part[axis];
  }
}

Kernels KernelsOf(const OperationContext& c, const TransposeOp& op) {
  return {[shape = c.inputs[0].shape, axes = op.axes, dtype = c.output.dtype, &b = c.backend](const Stage& s) {
    b.Transpose(shape, axes, dtype, s.x[0], s.y);
  }};
}

void GradientOf(GradientContext& g, const TransposeOp& op) {
  std::vector<int64_t> back(op.axes.size());
  for (size_t i = 0; i < op.axes.size(); ++i) back[static_cast<size_t>(op.axes[i])] = static_cast<int64_t>(i);
  g.Give(0, g.build.Transpose(g.dy, std::move(back)));
}

Kernels KernelsOf(const OperationContext& c, const SliceOp& op) {
  const tensor::SliceDesc desc{c.inputs[0].shape, c.output.shape, op.begins, op.steps, c.output.dtype};
  return {[=, &b = c.backend](const Stage& s) { b.Slice(desc, s.x[0], s.y); }};
}

// Zeros before and behind along each axis: parts that stand beside each other, as Concat puts them.
void GradientOf(GradientContext& g, const SliceOp& op) {
  const Shape in = g.input_shape(0);
  GraphBuilder& b = g.build;
  int gradient = g.dy;
  for (size_t axis = 0; axis < in.rank(); ++axis) {
    const Shape part = b.shape(gradient);
    if (op.begins[axis] == 0 && part[axis] == in[axis]) continue;
    if (op.steps[axis] != 1)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "layer {}: a slice with a step of {} has no gradient: layers before it cannot be trained",
                      g.value().layer, op.steps[axis]);
    const auto zeros = [&](int64_t size) {
      Shape shape = part;
      shape[axis] = size;
      return b.Constant(Tensor::Zeros(DType::kFloat32, shape), b.at(gradient).dtype);
    };
    std::vector<int> parts;
    if (op.begins[axis] > 0) parts.push_back(zeros(op.begins[axis]));
    parts.push_back(gradient);
    const int64_t behind = in[axis] - op.begins[axis] - part[axis];
    if (behind > 0) parts.push_back(zeros(behind));
    gradient = b.Concat(parts, static_cast<int64_t>(axis));
  }
  g.Give(0, gradient);
}

Kernels KernelsOf(const OperationContext& c, const TileOp& op) {
  return {[shape = c.inputs[0].shape, multiples = op.multiples, dtype = c.output.dtype,
           &b = c.backend](const Stage& s) { b.Tile(shape, multiples, dtype, s.x[0], s.y); }};
}

// [m0 * d0, m1 * d1, …] seen as [m0, d0, m1, d1, …], summed over the multiples.
void GradientOf(GradientContext& g, const TileOp& op) {
  const Shape in = g.input_shape(0);
  std::vector<int64_t> dims, axes;
  for (size_t axis = 0; axis < in.rank(); ++axis) {
    axes.push_back(static_cast<int64_t>(dims.size()));
    dims.push_back(op.multiples[axis]);
    dims.push_back(in[axis]);
  }
  g.Give(0, g.build.Sum(g.build.Reshape(g.dy, Shape(std::move(dims))), axes));
}

// Numbers of rows that bfloat16 cannot hold would name others.
Kernels KernelsOf(const OperationContext& c, const LookupOp&) {
  const Tensor& table = c.value.variables[0]->value;
  if (c.output.dtype != DType::kFloat32)
    throw MakeError(ErrorCode::kInvalidArgument, "layer {}: a table is looked up in float32 only, not in {}",
                    c.value.layer, NameOf(c.output.dtype));
  return {[table, count = c.inputs[0].count(), dtype = c.output.dtype, &b = c.backend](const Stage& s) {
    b.Lookup(count, table.dim(0), table.dim(1), table.data<float>(), dtype, s.x[0], s.y);
  }};
}

}  // namespace headrace::keras::internal
