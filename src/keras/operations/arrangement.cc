// Operations that put elements elsewhere.
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

void GradientOf(GradientContext& g, const SliceOp& op) {
  g.Give(0, g.build.Unslice(g.dy, op.begins, g.input_shape(0).dims(), op.steps));
}

Kernels KernelsOf(const OperationContext& c, const UnsliceOp& op) {
  const tensor::SliceDesc desc{c.output.shape, c.inputs[0].shape, op.begins, op.steps, c.output.dtype};
  return {[=, &b = c.backend](const Stage& s) { b.Unslice(desc, s.x[0], s.y); }};
}

void GradientOf(GradientContext& g, const UnsliceOp& op) {
  g.Give(0, g.build.Slice(g.dy, op.begins, g.input_shape(0).dims(), op.steps));
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

}  // namespace headrace::keras::internal
