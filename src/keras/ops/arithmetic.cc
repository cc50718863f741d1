// headrace/ops.h: element by element.
#include <cmath>

#include "headrace/ops.h"

#include "base/result.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras {
namespace {

using internal::Apply;
using tensor::Binary;
using tensor::Pointwise;
using B = GraphBuilder;

// kind: of a and b, either of which may be a number.
KerasTensor Combine(const char* name, Binary kind, const Operand& a, const Operand& b) {
  if (a.is_tensor() && b.is_tensor())
    return Apply(name, {a.tensor(), b.tensor()},
                 [kind](B& build, const std::vector<int>& x) { return build.Binary(kind, x[0], x[1]); });
  if (a.is_tensor())
    return Apply(name, {a.tensor()}, [kind, number = b.number()](B& build, const std::vector<int>& x) {
      return build.Binary(kind, x[0], number);
    });
  if (b.is_tensor())
    return Apply(name, {b.tensor()}, [kind, number = a.number()](B& build, const std::vector<int>& x) {
      return build.Binary(kind, number, x[0]);
    });
  throw MakeError(ErrorCode::kInvalidArgument, "{}: found two numbers, {} and {}, wanted one KerasTensor at least",
                  name, a.number(), b.number());
}

KerasTensor Map(const char* name, Pointwise kind, const KerasTensor& x) {
  return Apply(name, {x}, [kind](B& build, const std::vector<int>& in) { return build.Pointwise(kind, in[0]); });
}

KerasTensor Truth(const Operand& x) {
  return x.is_tensor() ? ops::not_equal(x, 0) : ops::full({}, x.number() != 0 ? 1.0f : 0.0f);
}

}  // namespace

KerasTensor operator+(const Operand& a, const Operand& b) { return ops::add(a, b); }
KerasTensor operator-(const Operand& a, const Operand& b) { return ops::subtract(a, b); }
KerasTensor operator*(const Operand& a, const Operand& b) { return ops::multiply(a, b); }
KerasTensor operator/(const Operand& a, const Operand& b) { return ops::divide(a, b); }
KerasTensor operator-(const KerasTensor& x) { return ops::negative(x); }
KerasTensor operator<(const Operand& a, const Operand& b) { return ops::less(a, b); }
KerasTensor operator<=(const Operand& a, const Operand& b) { return ops::less_equal(a, b); }
KerasTensor operator>(const Operand& a, const Operand& b) { return ops::greater(a, b); }
KerasTensor operator>=(const Operand& a, const Operand& b) { return ops::greater_equal(a, b); }

namespace ops {

KerasTensor add(const Operand& a, const Operand& b) { return Combine("add", Binary::kAdd, a, b); }
KerasTensor subtract(const Operand& a, const Operand& b) { return Combine("subtract", Binary::kSub, a, b); }
KerasTensor multiply(const Operand& a, const Operand& b) { return Combine("multiply", Binary::kMul, a, b); }
KerasTensor divide(const Operand& a, const Operand& b) { return Combine("divide", Binary::kDiv, a, b); }
KerasTensor true_divide(const Operand& a, const Operand& b) { return Combine("true_divide", Binary::kDiv, a, b); }
KerasTensor power(const Operand& a, const Operand& b) { return Combine("power", Binary::kPower, a, b); }
KerasTensor maximum(const Operand& a, const Operand& b) { return Combine("maximum", Binary::kMaximum, a, b); }
KerasTensor minimum(const Operand& a, const Operand& b) { return Combine("minimum", Binary::kMinimum, a, b); }
KerasTensor equal(const Operand& a, const Operand& b) { return Combine("equal", Binary::kEqual, a, b); }
KerasTensor less(const Operand& a, const Operand& b) { return Combine("less", Binary::kLess, a, b); }
KerasTensor less_equal(const Operand& a, const Operand& b) { return Combine("less_equal", Binary::kLessEqual, a, b); }
KerasTensor greater(const Operand& a, const Operand& b) { return Combine("greater", Binary::kGreater, a, b); }
KerasTensor greater_equal(const Operand& a, const Operand& b) {
  return Combine("greater_equal", Binary::kGreaterEqual, a, b);
}
KerasTensor not_equal(const Operand& a, const Operand& b) { return 1 - equal(a, b); }

// What is divided where it may not be is divided by 1 there, so that neither value nor gradient is infinite.
KerasTensor divide_no_nan(const Operand& a, const Operand& b) {
  if (!b.is_tensor()) return b.number() == 0 ? multiply(a, 0) : divide(a, b);
  const KerasTensor zero = equal(b, 0);
  return (1 - zero) * (a / (b.tensor() + zero));
}
KerasTensor floor_divide(const Operand& a, const Operand& b) { return floor(divide(a, b)); }
KerasTensor mod(const Operand& a, const Operand& b) { return a - b * floor_divide(a, b); }
KerasTensor logaddexp(const Operand& a, const Operand& b) { return maximum(a, b) + softplus(-abs(a - b)); }

KerasTensor logical_and(const Operand& a, const Operand& b) { return Truth(a) * Truth(b); }
KerasTensor logical_or(const Operand& a, const Operand& b) { return maximum(Truth(a), Truth(b)); }
KerasTensor logical_xor(const Operand& a, const Operand& b) { return not_equal(Truth(a), Truth(b)); }
KerasTensor logical_not(const KerasTensor& x) { return equal(x, 0); }

KerasTensor where(const KerasTensor& condition, const Operand& a, const Operand& b) {
  const auto tensor = [](const Operand& x) { return x.is_tensor() ? x.tensor() : full({}, x.number()); };
  return Apply("where", {condition, tensor(a), tensor(b)},
               [](B& build, const std::vector<int>& x) { return build.Select(x[0], x[1], x[2]); });
}

KerasTensor abs(const KerasTensor& x) { return Map("abs", Pointwise::kAbs, x); }
KerasTensor absolute(const KerasTensor& x) { return Map("absolute", Pointwise::kAbs, x); }
KerasTensor negative(const KerasTensor& x) { return Map("negative", Pointwise::kNeg, x); }
KerasTensor sign(const KerasTensor& x) { return Map("sign", Pointwise::kSign, x); }
KerasTensor square(const KerasTensor& x) { return Map("square", Pointwise::kSquare, x); }
KerasTensor sqrt(const KerasTensor& x) { return Map("sqrt", Pointwise::kSqrt, x); }
KerasTensor rsqrt(const KerasTensor& x) { return Map("rsqrt", Pointwise::kRsqrt, x); }
KerasTensor reciprocal(const KerasTensor& x) { return Map("reciprocal", Pointwise::kReciprocal, x); }
KerasTensor exp(const KerasTensor& x) { return Map("exp", Pointwise::kExp, x); }
KerasTensor exp2(const KerasTensor& x) { return exp(x * std::log(2.0)); }
KerasTensor expm1(const KerasTensor& x) { return Map("expm1", Pointwise::kExpm1, x); }
KerasTensor log(const KerasTensor& x) { return Map("log", Pointwise::kLog, x); }
KerasTensor log1p(const KerasTensor& x) { return Map("log1p", Pointwise::kLog1p, x); }
KerasTensor log2(const KerasTensor& x) { return log(x) * (1 / std::log(2.0)); }
KerasTensor log10(const KerasTensor& x) { return log(x) * (1 / std::log(10.0)); }
KerasTensor sin(const KerasTensor& x) { return Map("sin", Pointwise::kSin, x); }
KerasTensor cos(const KerasTensor& x) { return Map("cos", Pointwise::kCos, x); }
KerasTensor tan(const KerasTensor& x) { return sin(x) / cos(x); }
// e = exp(x) - 1: (e + e / (e + 1)) / 2 keeps its digits near 0.
KerasTensor sinh(const KerasTensor& x) {
  const KerasTensor e = expm1(x);
  return (e + e / (e + 1)) * 0.5;
}
KerasTensor cosh(const KerasTensor& x) { return (exp(x) + exp(-x)) * 0.5; }
KerasTensor erf(const KerasTensor& x) { return Map("erf", Pointwise::kErf, x); }
KerasTensor floor(const KerasTensor& x) { return Map("floor", Pointwise::kFloor, x); }
KerasTensor ceil(const KerasTensor& x) { return Map("ceil", Pointwise::kCeil, x); }
KerasTensor round(const KerasTensor& x) { return Map("round", Pointwise::kRound, x); }
KerasTensor trunc(const KerasTensor& x) { return Map("trunc", Pointwise::kTruncate, x); }
KerasTensor isnan(const KerasTensor& x) { return 1 - equal(x, x); }
KerasTensor isinf(const KerasTensor& x) { return equal(abs(x), HUGE_VALF); }
KerasTensor isfinite(const KerasTensor& x) { return less(abs(x), HUGE_VALF); }
KerasTensor clip(const KerasTensor& x, float low, float high) { return minimum(maximum(x, low), high); }

KerasTensor cast(const KerasTensor& x, const std::string& dtype) {
  if (dtype == "bool") return not_equal(x, 0);
  if (dtype == "int32" || dtype == "int64") return trunc(x);
  if (dtype != "float32")
    throw MakeError(ErrorCode::kInvalidArgument,
                    "cast: found \"{}\", wanted \"float32\", \"int32\", \"int64\" or \"bool\"", dtype);
  return Apply("cast", {x}, [](B& build, const std::vector<int>& in) { return build.Cast(in[0], DType::kFloat32); });
}

KerasTensor stop_gradient(const KerasTensor& x) {
  return Apply("stop_gradient", {x}, [](B& build, const std::vector<int>& in) { return build.StopGradient(in[0]); });
}

}  // namespace ops
}  // namespace headrace::keras
