// Operations that make one of many.
#include "base/result.h"
#include "keras/operations/operation.h"

namespace headrace::keras::internal {

Kernels KernelsOf(const OperationContext& c, const ReduceOp& op) {
  const tensor::ReduceDesc desc{op.kind, c.inputs[0].shape, op.reduced, c.output.dtype};
  return {[=, &b = c.backend](const Stage& s) { b.Reduce(desc, s.x[0], s.y); }};
}

void GradientOf(GradientContext& g, const ReduceOp& op) {
  GraphBuilder& b = g.build;
  const Shape in = g.input_shape(0);
  Shape kept = in;
  int64_t count = 1;
  for (size_t axis = 0; axis < in.rank(); ++axis)
    if (op.reduced[axis]) {
      count *= in[axis];
      kept[axis] = 1;
    }
  const int dy = b.Reshape(g.dy, kept);
  switch (op.kind) {
    case tensor::Reduction::kSum:
      return g.Give(0, b.BroadcastTo(dy, in));
    case tensor::Reduction::kMean:
      return g.Give(0, b.BroadcastTo(b.Mul(dy, 1.0f / static_cast<float>(count)), in));
    case tensor::Reduction::kMaximum:
    case tensor::Reduction::kMinimum: {  // shared by all that are the largest, as TensorFlow has it
      const int is = b.Binary(tensor::Binary::kEqual, g.input(0), b.Reshape(g.y, kept));
      std::vector<int64_t> axes;
      for (size_t axis = 0; axis < in.rank(); ++axis)
        if (op.reduced[axis]) axes.push_back(static_cast<int64_t>(axis));
      return g.Give(0, b.Mul(b.Div(is, b.Sum(is, axes, true)), dy));
    }
  }
}

Kernels KernelsOf(const OperationContext& c, const ArgMaxOp&) {
  const Operand in = c.inputs[0];
  const int64_t width = in.shape[in.shape.rank() - 1], rows = in.count() / width;
  return {[=, &b = c.backend](const Stage& s) { b.ArgMax(rows, width, in.dtype, s.x[0], s.y); }};
}

Kernels KernelsOf(const OperationContext& c, const CrossentropyOp& op) {
  const Operand scores = c.inputs[0];
  const int64_t classes = scores.shape[scores.shape.rank() - 1];
  const tensor::CrossentropyArgs args{.rows = scores.count() / classes,
                                      .classes = classes,
                                      .from_logits = op.from_logits,
                                      .label_smoothing = op.label_smoothing,
                                      .labels = op.sparse ? tensor::Labels::kSparse : tensor::Labels::kOneHot,
                                      .dtype = scores.dtype};
  return {[args, &b = c.backend](const Stage& s) {
            auto run = args;
            run.scores = s.x[0];
            run.targets = s.x[1];
            run.losses = static_cast<float*>(s.y);
            b.Crossentropy(run);
          },
          [args, &b = c.backend](const Stage& s) {
            auto run = args;
            run.scores = s.x[0];
            run.targets = s.x[1];
            run.dscores = s.dx[0];
            run.row_gradients = static_cast<const float*>(s.dy);
            b.Crossentropy(run);
          }};
}

}  // namespace headrace::keras::internal
