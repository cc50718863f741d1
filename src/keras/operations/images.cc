// Operations on images [n, h, w, c]. Convolutions are stages of their own (plan/stage.h).
#include "keras/operations/operation.h"

namespace headrace::keras::internal {
namespace {

template <typename Op>
tensor::Pool2DDesc PoolOf(const OperationContext& c, const Op& op) {
  const Shape& in = c.inputs[0].shape;
  return {in[0],       in[1],      in[2],         in[3],       op.pool_h,    op.pool_w,     op.stride_h,
          op.stride_w, op.pad_top, op.pad_bottom, op.pad_left, op.pad_right, c.output.dtype};
}

}  // namespace

Kernels KernelsOf(const OperationContext& c, const MaxPoolOp& op) {
  const tensor::Pool2DDesc desc = PoolOf(c, op);
  return {[=, &b = c.backend](const Stage& s) { b.MaxPoolForward(desc, s.x[0], s.y); },
          [=, &b = c.backend](const Stage& s) { b.MaxPoolBackward(desc, s.x[0], s.dy, s.dx[0]); }};
}

Kernels KernelsOf(const OperationContext& c, const GlobalAveragePoolOp&) {
  const Shape& in = c.inputs[0].shape;
  const int64_t n = in[0], hw = in[1] * in[2], channels = in[3];
  const DType dtype = c.output.dtype;
  return {[=, &b = c.backend](const Stage& s) { b.GlobalAveragePoolForward(n, hw, channels, dtype, s.x[0], s.y); },
          [=, &b = c.backend](const Stage& s) { b.GlobalAveragePoolBackward(n, hw, channels, dtype, s.dy, s.dx[0]); }};
}

Kernels KernelsOf(const OperationContext& c, const AveragePoolOp& op) {
  const tensor::Pool2DDesc desc = PoolOf(c, op);
  return {[=, &b = c.backend](const Stage& s) { b.AveragePool(desc, s.x[0], s.y); }};
}

Kernels KernelsOf(const OperationContext& c, const ZeroPadOp& op) {
  const Shape in = c.inputs[0].shape;
  const DType dtype = c.output.dtype;
  return {[=, &b = c.backend](const Stage& s) {
            b.PadForward(in[0], in[1], in[2], in[3], op.top, op.bottom, op.left, op.right, dtype, s.x[0], s.y);
          },
          [=, &b = c.backend](const Stage& s) {
            b.PadBackward(in[0], in[1], in[2], in[3], op.top, op.bottom, op.left, op.right, dtype, s.dy, s.dx[0]);
          }};
}

Kernels KernelsOf(const OperationContext& c, const ResizeOp& op) {
  const Shape &in = c.inputs[0].shape, &out = c.output.shape;
  const tensor::ResizeDesc desc{
      in[0], in[1], in[2], in[3], out[1], out[2], op.resampling, op.half_pixels, op.aligned_corners, c.output.dtype};
  return {[=, &b = c.backend](const Stage& s) { b.Resize(desc, s.x[0], s.y); }};
}

Kernels KernelsOf(const OperationContext& c, const SpreadOp& op) {
  return {[in = c.inputs[0].shape, op, dtype = c.output.dtype, &b = c.backend](const Stage& s) {
    b.Spread(in[0], in[1], in[2], in[3], op.stride_h, op.stride_w, dtype, s.x[0], s.y);
  }};
}

}  // namespace headrace::keras::internal
