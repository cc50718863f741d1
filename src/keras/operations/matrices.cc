// Products of matrices, and rows of tables by their numbers.
#include "base/result.h"
#include "keras/operations/operation.h"

namespace headrace::keras::internal {
namespace {

Shape Leading(const Shape& shape) { return Shape({shape.dims().begin(), shape.dims().end() - 2}); }

tensor::GatherDesc GatherOf(const OperationContext& c, int64_t rows, const Operand& indices, const Operand& gathered) {
  if (indices.dtype == DType::kBFloat16)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "layer {}: found numbers of rows in bfloat16, which skips numbers; wanted float32: policy "
                    "\"float32\" where they are an Input()",
                    c.value.layer);
  return {indices.count(), rows, gathered.shape.dims().back(), indices.dtype, gathered.dtype};
}

}  // namespace

Kernels KernelsOf(const OperationContext& c, const MatMulOp& op) {
  const Shape &a = c.inputs[0].shape, &y = c.output.shape;
  const int64_t k = a[a.rank() - (op.transpose_a ? 2 : 1)];
  const tensor::MatMulDesc desc{Leading(a),
                                Leading(c.inputs[1].shape),
                                Leading(y),
                                y[y.rank() - 2],
                                k,
                                y.dims().back(),
                                op.transpose_a,
                                op.transpose_b,
                                c.output.dtype};
  Kernels kernels{[=, &b = c.backend](const Stage& s) { b.MatMul(desc, s.x[0], s.x[1], s.y, s.workspace); }};
  kernels.workspace_bytes = c.backend.MatMulWorkspaceBytes(desc);
  return kernels;
}

// y = a b: da = dy b', db = a' dy; of transposed factors the transposes.
void GradientOf(GradientContext& g, const MatMulOp& op) {
  GraphBuilder& build = g.build;
  const int a = g.input(0), b = g.input(1), dy = g.dy;
  if (g.wants(0)) {
    const int da =
        op.transpose_a ? build.MatMul(b, dy, op.transpose_b, true) : build.MatMul(dy, b, false, !op.transpose_b);
    g.Give(0, build.SumTo(da, g.input_shape(0)));
  }
  if (g.wants(1)) {
    const int db =
        op.transpose_b ? build.MatMul(dy, a, true, op.transpose_a) : build.MatMul(a, dy, !op.transpose_a, false);
    g.Give(1, build.SumTo(db, g.input_shape(1)));
  }
}

Kernels KernelsOf(const OperationContext& c, const GatherOp& op) {
  const auto desc = GatherOf(c, op.rows, c.inputs[1], c.output);
  return {[=, &b = c.backend](const Stage& s) { b.Gather(desc, static_cast<const float*>(s.x[0]), s.x[1], s.y); }};
}

void GradientOf(GradientContext& g, const GatherOp& op) {
  if (g.wants(0)) g.Give(0, g.build.ScatterSum(g.input(1), g.dy, op.rows));
}

Kernels KernelsOf(const OperationContext& c, const ScatterOp& op) {
  const auto desc = GatherOf(c, op.rows, c.inputs[0], c.inputs[1]);
  return {[=, &b = c.backend](const Stage& s) { b.ScatterSum(desc, s.x[0], s.x[1], static_cast<float*>(s.y)); }};
}

void GradientOf(GradientContext& g, const ScatterOp&) {
  if (g.wants(1)) g.Give(1, g.build.Cast(g.build.Gather(g.dy, g.input(0)), g.build.at(g.input(1)).dtype));
}

}  // namespace headrace::keras::internal
