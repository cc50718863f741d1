// Operations whose result depends on its own place alone, and the gradients of broadcasting.
#include <algorithm>
#include <cstring>

#include "keras/operations/operation.h"

namespace headrace::keras::internal {

using tensor::Binary;
using tensor::Pointwise;

Kernels KernelsOf(const OperationContext& c, const ActivationOp& op) {
  const Shape& shape = c.inputs[0].shape;
  const int64_t width = shape.rank() == 0 ? 1 : shape[shape.rank() - 1];
  const int64_t rows = width == 0 ? 0 : shape.size() / width;
  return {[=, &b = c.backend, dtype = c.output.dtype, kind = op.activation](const Stage& s) {
            b.ActivationForward(kind, rows, width, dtype, s.x[0], s.y);
          },
          [=, &b = c.backend, dtype = c.output.dtype, kind = op.activation](const Stage& s) {
            b.ActivationBackward(kind, rows, width, dtype, s.x[0], s.y, s.dy, s.dx[0]);
          }};
}

// ------------------------------------------------------------------------------------------------------- sums

Kernels KernelsOf(const OperationContext& c, const AddOp&) {
  return {[&b = c.backend, count = c.output.count(), dtype = c.output.dtype](const Stage& s) {
    b.Add(count, dtype, s.x[0], s.x[1], s.y);
  }};
}

void GradientOf(GradientContext& g, const AddOp&) {
  for (size_t i : {0, 1})
    if (g.wants(i)) g.Give(i, g.dy);
}

// -------------------------------------------------------------------------------------------------- one operand

Kernels KernelsOf(const OperationContext& c, const PointwiseOp& op) {
  return {[op, &b = c.backend, count = c.output.count(), dtype = c.output.dtype](const Stage& s) {
    b.ApplyPointwise(op.kind, op.alpha, count, dtype, s.x[0], s.y);
  }};
}

namespace {

constexpr float kSeluScale = 1.05070098f, kSeluAlpha = 1.67326324f;
constexpr float kTwoOverRootOfPi = 1.128379167f;

// The derivative of y by x, as a value; -1 where it is zero.
int Slope(GradientContext& g, const PointwiseOp& op) {
  GraphBuilder& b = g.build;
  const int x = g.input(0), y = g.y;
  switch (op.kind) {
    case Pointwise::kRelu6:
      return b.Mul(b.Binary(Binary::kGreater, x, 0.0f), b.Binary(Binary::kLess, x, 6.0f));
    case Pointwise::kLeakyRelu:
      return b.Add(b.Mul(b.Binary(Binary::kLess, x, 0.0f), op.alpha - 1), 1.0f);
    case Pointwise::kSelu: {  // y + scale * alpha below zero, scale above
      const int below = b.Binary(Binary::kLess, x, 0.0f);
      const int above = b.Mul(b.Binary(Binary::kGreaterEqual, x, 0.0f), kSeluScale);
      return b.Add(b.Mul(below, b.Add(y, kSeluScale * kSeluAlpha)), above);
    }
    case Pointwise::kSoftplus:
      return b.Activation(tensor::Activation::kSigmoid, x);
    case Pointwise::kSoftsign:
      return b.Pointwise(Pointwise::kSquare,
                         b.Pointwise(Pointwise::kReciprocal, b.Add(b.Pointwise(Pointwise::kAbs, x), 1.0f)));
    case Pointwise::kExp:
      return y;
    case Pointwise::kLog:
      return b.Pointwise(Pointwise::kReciprocal, x);
    case Pointwise::kSquare:
      return b.Mul(x, 2.0f);
    case Pointwise::kSqrt:
      return b.Binary(Binary::kDiv, 0.5f, y);
    case Pointwise::kRsqrt:
      return b.Mul(b.Mul(b.Pointwise(Pointwise::kSquare, y), y), -0.5f);
    case Pointwise::kErf:
      return b.Mul(b.Pointwise(Pointwise::kExp, b.Neg(b.Pointwise(Pointwise::kSquare, x))), kTwoOverRootOfPi);
    case Pointwise::kExpm1:
      return b.Add(y, 1.0f);
    case Pointwise::kLog1p:
      return b.Pointwise(Pointwise::kReciprocal, b.Add(x, 1.0f));
    case Pointwise::kReciprocal:
      return b.Neg(b.Pointwise(Pointwise::kSquare, y));
    case Pointwise::kAbs:
      return b.Pointwise(Pointwise::kSign, x);
    case Pointwise::kSin:
      return b.Pointwise(Pointwise::kCos, x);
    case Pointwise::kCos:
      return b.Neg(b.Pointwise(Pointwise::kSin, x));
    case Pointwise::kNeg:
    case Pointwise::kTruncate:
    case Pointwise::kSign:
    case Pointwise::kFloor:
    case Pointwise::kCeil:
    case Pointwise::kRound:
      break;
  }
  return -1;
}

}  // namespace

void GradientOf(GradientContext& g, const PointwiseOp& op) {
  if (op.kind == Pointwise::kNeg) return g.Give(0, g.build.Neg(g.dy));
  const int slope = Slope(g, op);
  if (slope >= 0) g.Give(0, g.build.Mul(g.dy, slope));
}

// ------------------------------------------------------------------------------------------------- two operands

Kernels KernelsOf(const OperationContext& c, const BinaryOp& op) {
  const DType dtype = c.output.dtype;
  if (c.value.variables.empty()) {
    const tensor::BinaryDesc desc{op.kind, c.inputs[0].shape, c.inputs[1].shape, c.output.shape, dtype};
    return {[=, &b = c.backend](const Stage& s) { b.ApplyBinary(desc, s.x[0], s.x[1], s.y); }};
  }
  const Tensor constant = c.value.variables[0]->value.Cast(dtype);
  const bool first = op.constant_first;
  const Shape &a = first ? constant.shape() : c.inputs[0].shape, &b = first ? c.inputs[0].shape : constant.shape();
  const tensor::BinaryDesc desc{op.kind, a, b, c.output.shape, dtype};
  return {[=, &backend = c.backend](const Stage& s) {
    backend.ApplyBinary(desc, first ? constant.raw() : s.x[0], first ? s.x[0] : constant.raw(), s.y);
  }};
}

namespace {

struct Slopes {
  int a = -1, b = -1;  // of the result by either operand, times dy
};

Slopes SlopesOf(GradientContext& g, Binary kind, int a, int b, bool wants_a, bool wants_b) {
  GraphBuilder& build = g.build;
  Slopes slopes;
  switch (kind) {
    case Binary::kAdd:
      return {g.dy, g.dy};
    case Binary::kSub:
      return {g.dy, wants_b ? build.Neg(g.dy) : -1};
    case Binary::kMul:
      return {wants_a ? build.Mul(g.dy, b) : -1, wants_b ? build.Mul(g.dy, a) : -1};
    case Binary::kDiv:
      if (wants_a) slopes.a = build.Div(g.dy, b);
      if (wants_b) slopes.b = build.Neg(build.Div(build.Mul(g.dy, g.y), b));
      return slopes;
    case Binary::kMaximum:  // of equals the first one has it, as in TensorFlow
      if (wants_a) slopes.a = build.Mul(g.dy, build.Binary(Binary::kGreaterEqual, a, b));
      if (wants_b) slopes.b = build.Mul(g.dy, build.Binary(Binary::kLess, a, b));
      return slopes;
    case Binary::kMinimum:
      if (wants_a) slopes.a = build.Mul(g.dy, build.Binary(Binary::kLessEqual, a, b));
      if (wants_b) slopes.b = build.Mul(g.dy, build.Binary(Binary::kGreater, a, b));
      return slopes;
    case Binary::kSquaredDifference: {
      const int slope = build.Mul(build.Mul(build.Sub(a, b), 2.0f), g.dy);
      return {slope, wants_b ? build.Neg(slope) : -1};
    }
    case Binary::kPower:
      if (wants_a)
        slopes.a = build.Mul(build.Mul(g.dy, b), build.Binary(Binary::kPower, a, build.Binary(Binary::kSub, b, 1.0f)));
      if (wants_b) {  // 0 where the base is not positive, as in TensorFlow
        const int logarithm = build.Pointwise(Pointwise::kLog, build.Binary(Binary::kMaximum, a, 1e-30f));
        slopes.b = build.Mul(build.Mul(g.dy, g.y), build.Mul(logarithm, build.Binary(Binary::kGreater, a, 0.0f)));
      }
      return slopes;
    case Binary::kEqual:
    case Binary::kLess:
    case Binary::kLessEqual:
    case Binary::kGreater:
    case Binary::kGreaterEqual:
      break;
  }
  return slopes;
}

}  // namespace

void GradientOf(GradientContext& g, const BinaryOp& op) {
  if (g.value().variables.empty()) {
    const Slopes slopes = SlopesOf(g, op.kind, g.input(0), g.input(1), g.wants(0), g.wants(1));
    if (g.wants(0) && slopes.a >= 0) g.Give(0, g.build.SumTo(slopes.a, g.input_shape(0)));
    if (g.wants(1) && slopes.b >= 0) g.Give(1, g.build.SumTo(slopes.b, g.input_shape(1)));
    return;
  }
  const int constant = g.build.Constant(g.value().variables[0]->value, g.value().dtype);
  const int a = op.constant_first ? constant : g.input(0), b = op.constant_first ? g.input(0) : constant;
  const Slopes slopes = SlopesOf(g, op.kind, a, b, !op.constant_first, op.constant_first);
  const int slope = op.constant_first ? slopes.b : slopes.a;
  if (slope >= 0) g.Give(0, g.build.SumTo(slope, g.input_shape(0)));
}

// ---------------------------------------------------------------------------------------------- choice and type

Kernels KernelsOf(const OperationContext& c, const SelectOp&) {
  const tensor::SelectDesc desc{c.inputs[0].shape, c.inputs[1].shape, c.inputs[2].shape, c.output.shape,
                                c.output.dtype};
  return {[=, &b = c.backend](const Stage& s) { b.Select(desc, s.x[0], s.x[1], s.x[2], s.y); }};
}

void GradientOf(GradientContext& g, const SelectOp&) {
  const Shape one(std::vector<int64_t>(g.value().shape.rank(), 1));
  const int nothing = g.build.Constant(Tensor::Zeros(DType::kFloat32, one), g.build.at(g.dy).dtype);
  if (g.wants(1)) g.Give(1, g.build.SumTo(g.build.Select(g.input(0), g.dy, nothing), g.input_shape(1)));
  if (g.wants(2)) g.Give(2, g.build.SumTo(g.build.Select(g.input(0), nothing, g.dy), g.input_shape(2)));
}

Kernels KernelsOf(const OperationContext& c, const StopGradientOp&) {
  return {[bytes = static_cast<size_t>(c.output.count()) * SizeOf(c.output.dtype)](const Stage& s) {
    std::memcpy(s.y, s.x[0], bytes);
  }};
}

namespace {
bool IsFloat(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kBFloat16; }
}  // namespace

Kernels KernelsOf(const OperationContext& c, const CastOp&) {
  const Operand from = c.inputs[0];
  const DType to = c.output.dtype;
  const bool converts = IsFloat(from.dtype) && IsFloat(to);
  if (converts) return {[=, &b = c.backend](const Stage& s) { b.Convert(from.count(), from.dtype, s.x[0], to, s.y); }};
  return {[=](const Stage& s) {  // a view of what the stage reads
    const Tensor in = Tensor::View(from.dtype, from.shape, s.x[0], nullptr);
    const Tensor out = in.Cast(to);
    std::copy_n(static_cast<const char*>(out.raw()), out.bytes(), static_cast<char*>(s.y));
  }};
}

void GradientOf(GradientContext& g, const CastOp&) { g.Give(0, g.build.Cast(g.dy, g.build.at(g.input(0)).dtype)); }

}  // namespace headrace::keras::internal
