// Keras 3's losses as operations: keras/src/losses/losses.py, formula by formula.
#include "keras/losses/formulas.h"

#include <cmath>

#include "base/result.h"

namespace headrace::keras::internal {

using tensor::Binary;
using tensor::Pointwise;
using tensor::Reduction;

int LogitsOf(const GraphBuilder& build, int y_pred) {
  const Value* value = &build.at(y_pred);
  if (std::holds_alternative<CastOp>(value->op)) value = &build.at(value->inputs[0]);
  const auto* op = std::get_if<ActivationOp>(&value->op);
  if (op == nullptr) return -1;
  const bool known = op->activation == tensor::Activation::kSoftmax || op->activation == tensor::Activation::kSigmoid;
  return known ? value->inputs[0] : -1;
}

namespace {

constexpr float kEpsilon = 1e-7f;

// The prediction before it was cast to float32: what the crossentropy kernels read.
int Uncast(const GraphBuilder& b, int x) { return std::holds_alternative<CastOp>(b.at(x).op) ? b.at(x).inputs[0] : x; }

int Square(GraphBuilder& b, int x) { return b.Pointwise(Pointwise::kSquare, x); }
int Abs(GraphBuilder& b, int x) { return b.Pointwise(Pointwise::kAbs, x); }
int Log(GraphBuilder& b, int x) { return b.Pointwise(Pointwise::kLog, x); }
int Max(GraphBuilder& b, int x, float bound) { return b.Binary(Binary::kMaximum, x, bound); }
int Clip(GraphBuilder& b, int x, float low, float high) { return b.Binary(Binary::kMinimum, Max(b, x, low), high); }
int OneMinus(GraphBuilder& b, int x) { return b.Binary(Binary::kSub, 1.0f, x); }
int Softplus(GraphBuilder& b, int x) { return b.Pointwise(Pointwise::kSoftplus, x); }
int LastMean(GraphBuilder& b, int x) { return b.Mean(x, {-1}); }
int LastSum(GraphBuilder& b, int x) { return b.Sum(x, {-1}); }

// x / max(norm, epsilon), as keras.ops.normalize.
int Normalized(GraphBuilder& b, int x, int64_t axis) {
  const int squares = b.Sum(Square(b, x), {axis}, true);
  return b.Mul(x, b.Pointwise(Pointwise::kRsqrt, Max(b, squares, kEpsilon * kEpsilon)));
}

// Labels of 0 and 1 become -1 and 1; others stay. All of the batch decide.
int HingeLabels(GraphBuilder& b, int y) {
  const int zero = b.Binary(Binary::kEqual, y, 0.0f), one = b.Binary(Binary::kEqual, y, 1.0f);
  const int binary = b.ReduceAll(Reduction::kMinimum, b.Add(zero, one));
  return b.Select(binary, b.Add(b.Mul(y, 2.0f), -1.0f), y);
}
int HingeTerms(GraphBuilder& b, int y, int p) { return Max(b, OneMinus(b, b.Mul(HingeLabels(b, y), p)), 0.0f); }

int Smoothed(GraphBuilder& b, int y, float smoothing, float rest) {
  return smoothing == 0 ? y : b.Add(b.Mul(y, 1 - smoothing), smoothing * rest);
}

// One loss for each row of the predictions' last axis; the kernels read as many targets as `op` says, whatever is
// there.
Shape CheckCrossentropy(const GraphBuilder& b, int y, int p, bool sparse) {
  const char* name = sparse ? "sparse_categorical_crossentropy" : "categorical_crossentropy";
  std::vector<int64_t> rows = b.shape(p).dims();
  if (rows.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found a prediction without dimensions, wanted an axis of classes",
                    name);
  rows.pop_back();
  const Shape wanted = sparse ? Shape(rows) : b.shape(p);
  if (b.shape(y) != wanted)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found targets of shape {} for predictions of shape {}, wanted targets of shape {}", name,
                    b.shape(y).ToString(), b.shape(p).ToString(), wanted.ToString());
  return Shape(std::move(rows));
}

int Crossentropies(GraphBuilder& b, int y, int p, CrossentropyOp op) {
  const int logits = LogitsOf(b, p);
  op.from_logits = op.from_logits || logits >= 0;
  const int scores = logits >= 0 ? logits : Uncast(b, p);
  Shape rows = CheckCrossentropy(b, y, scores, op.sparse);
  return b.graph().Append({op, "loss", {scores, y}, std::move(rows), {}, DType::kFloat32});
}

// Numbers of classes [..., 1] as [...].
int ClassNumbers(GraphBuilder& b, int y, int p) {
  return b.rank(y) > 0 && b.rank(y) == b.rank(p) && b.shape(y).dims().back() == 1 ? b.Squeeze(y, -1) : y;
}

// 1 - a / b over the whole batch, or over some axes of it.
int OverAxes(GraphBuilder& b, int x, const std::vector<int64_t>& axes) {
  return axes.empty() ? b.ReduceAll(Reduction::kSum, x) : b.Sum(x, axes);
}

}  // namespace

int OneHot(GraphBuilder& b, int classes, int64_t count) {
  Tensor numbers(DType::kFloat32, {count});
  for (int64_t i = 0; i < count; ++i) numbers.data<float>()[i] = static_cast<float>(i);
  const int rows = b.ExpandDims(b.Cast(classes, DType::kFloat32), -1);
  return b.Binary(Binary::kEqual, rows, b.Constant(numbers, DType::kFloat32));
}

// Of each element: max(x, 0) - x * t + log(1 + exp(-|x|)) on logits, else with clipped probabilities.
int BinaryCrossentropiesOf(GraphBuilder& b, int y, int p, bool from_logits) {
  const int before = LogitsOf(b, p);
  if (before >= 0 || from_logits) {
    const int x = before >= 0 ? b.Cast(before, DType::kFloat32) : p;
    return b.Sub(Softplus(b, x), b.Mul(x, y));
  }
  p = Clip(b, p, kEpsilon, 1 - kEpsilon);
  return b.Neg(b.Add(b.Mul(y, Log(b, p)), b.Mul(OneMinus(b, y), Log(b, OneMinus(b, p)))));
}

int MeanAbsoluteErrorOf(GraphBuilder& b, int y, int p) { return LastMean(b, Abs(b, b.Sub(y, p))); }

int MeanAbsolutePercentageErrorOf(GraphBuilder& b, int y, int p) {
  const int share = b.Div(b.Sub(y, p), Max(b, Abs(b, y), kEpsilon));
  return b.Mul(LastMean(b, Abs(b, share)), 100.0f);
}

int MeanSquaredLogarithmicErrorOf(GraphBuilder& b, int y, int p) {
  const auto log1p = [&](int x) { return Log(b, b.Add(Max(b, x, kEpsilon), 1.0f)); };
  return LastMean(b, Square(b, b.Sub(log1p(p), log1p(y))));
}

int HuberOf(GraphBuilder& b, int y, int p, float delta) {
  const int error = b.Sub(p, y), size = Abs(b, error);
  const int inside = b.Mul(Square(b, error), 0.5f);
  const int outside = b.Binary(Binary::kSub, b.Mul(size, delta), 0.5f * delta * delta);
  return LastMean(b, b.Select(b.Binary(Binary::kLessEqual, size, delta), inside, outside));
}

int LogCoshOf(GraphBuilder& b, int y, int p) {
  const int x = b.Sub(p, y);
  return LastMean(b, b.Binary(Binary::kSub, b.Add(x, Softplus(b, b.Mul(x, -2.0f))), std::log(2.0f)));
}

int CategoricalHingeOf(GraphBuilder& b, int y, int p) {
  const int right = LastSum(b, b.Mul(y, p));
  const int wrong = b.Reduce(Reduction::kMaximum, b.Mul(OneMinus(b, y), p), {-1});
  return Max(b, b.Add(b.Sub(wrong, right), 1.0f), 0.0f);
}

int KLDivergenceOf(GraphBuilder& b, int y, int p) {
  y = Clip(b, y, kEpsilon, 1);
  p = Clip(b, p, kEpsilon, 1);
  return LastSum(b, b.Mul(y, Log(b, b.Div(y, p))));
}

int PoissonOf(GraphBuilder& b, int y, int p) { return LastMean(b, b.Sub(p, b.Mul(y, Log(b, b.Add(p, kEpsilon))))); }

int BinaryFocalCrossentropyOf(GraphBuilder& b, int y, int p, const BinaryFocalCrossentropyOptions& o) {
  y = Smoothed(b, y, o.label_smoothing, 0.5f);
  if (o.from_logits) p = b.Activation(tensor::Activation::kSigmoid, p);
  const int crossentropy = BinaryCrossentropiesOf(b, y, p, false);
  const int right = b.Add(b.Mul(y, p), b.Mul(OneMinus(b, y), OneMinus(b, p)));
  int focal = b.Mul(b.Binary(Binary::kPower, OneMinus(b, right), o.gamma), crossentropy);
  if (o.apply_class_balancing) focal = b.Mul(b.Add(b.Mul(y, o.alpha), b.Mul(OneMinus(b, y), 1 - o.alpha)), focal);
  return LastMean(b, focal);
}

int CategoricalFocalCrossentropyOf(GraphBuilder& b, int y, int p, const CategoricalFocalCrossentropyOptions& o) {
  const auto classes = static_cast<float>(b.shape(p).dims().back());
  y = Smoothed(b, y, o.label_smoothing, 1 / classes);
  if (o.from_logits) p = b.Activation(tensor::Activation::kSoftmax, p);
  p = Clip(b, b.Div(p, b.Sum(p, {-1}, true)), kEpsilon, 1 - kEpsilon);
  const int weights = b.Mul(b.Binary(Binary::kPower, OneMinus(b, p), o.gamma), o.alpha);
  return LastSum(b, b.Mul(weights, b.Neg(b.Mul(y, Log(b, p)))));
}

int DiceOf(GraphBuilder& b, int y, int p, const std::vector<int64_t>& axes) {
  const int both = b.Mul(OverAxes(b, b.Mul(y, p), axes), 2.0f);
  const int either = b.Add(b.Add(OverAxes(b, y, axes), OverAxes(b, p, axes)), kEpsilon);
  return OneMinus(b, b.Div(both, either));
}

int TverskyOf(GraphBuilder& b, int y, int p, const TverskyOptions& o) {
  const int both = OverAxes(b, b.Mul(y, p), o.axis);
  const int missed = OverAxes(b, b.Mul(OneMinus(b, p), y), o.axis);
  const int wrong = OverAxes(b, b.Mul(p, OneMinus(b, y)), o.axis);
  const int sum = b.Add(b.Add(both, b.Mul(missed, o.alpha)), b.Add(b.Mul(wrong, o.beta), kEpsilon));
  return OneMinus(b, b.Div(both, sum));
}

int GeneralizedCrossEntropyOf(GraphBuilder& b, int y, int p, float q) {
  const int right = LastSum(b, b.Mul(p, OneHot(b, y, b.shape(p).dims().back())));
  return b.Mul(OneMinus(b, b.Binary(Binary::kPower, right, q)), 1 / q);
}

int MeanSquaredErrorOf(GraphBuilder& b, int y, int p) { return LastMean(b, Square(b, b.Sub(y, p))); }

int CosineSimilarityOf(GraphBuilder& b, int y, int p, int64_t axis) {
  return b.Sum(b.Mul(Normalized(b, y, axis), Normalized(b, p, axis)), {axis});
}

int AlignTargets(GraphBuilder& b, int y, int p) {
  const auto &wanted = b.shape(p), &found = b.shape(y);
  if (found.rank() + 1 == wanted.rank() && wanted.dims().back() == 1) return b.ExpandDims(y, -1);
  if (found.rank() == wanted.rank() + 1 && found.dims().back() == 1) return b.Squeeze(y, -1);
  return y;
}

int FitTargets(GraphBuilder& b, const std::string& what, int y, int p) {
  y = AlignTargets(b, y, p);
  if (b.shape(y) != b.shape(p))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found targets of shape {} for predictions of shape {}, wanted equal shapes{}", what,
                    b.shape(y).ToString(), b.shape(p).ToString(),
                    b.rank(y) + 1 == b.rank(p) || b.shape(y).dims().back() == 1
                        ? " (numbers of classes go with sparse_categorical_crossentropy)"
                        : "");
  return y;
}

int ValuesOf(const LossState& loss, GraphBuilder& b, int y, int p) {
  if (loss.classes) return loss.values(b, b.rank(y) == b.rank(p) ? b.Squeeze(y, -1) : y, p);
  // A function of one's own says itself what it takes: numbers of classes, for one.
  if (loss.class_name.empty()) return loss.values(b, b.Cast(AlignTargets(b, y, p), DType::kFloat32), p);
  return loss.values(b, b.Cast(FitTargets(b, loss.name, y, p), DType::kFloat32), p);
}

int HingeOf(GraphBuilder& b, int y, int p) { return LastMean(b, HingeTerms(b, y, p)); }
int SquaredHingeOf(GraphBuilder& b, int y, int p) { return LastMean(b, Square(b, HingeTerms(b, y, p))); }

int BinaryCrossentropyOf(GraphBuilder& b, int y, int p, const BinaryCrossentropyOptions& o) {
  return LastMean(b, BinaryCrossentropiesOf(b, Smoothed(b, y, o.label_smoothing, 0.5f), p, o.from_logits));
}

int CategoricalCrossentropyOf(GraphBuilder& b, int y, int p, const CategoricalCrossentropyOptions& o) {
  return Crossentropies(b, y, p, {.from_logits = o.from_logits, .sparse = false, .label_smoothing = o.label_smoothing});
}

int SparseCategoricalCrossentropyOf(GraphBuilder& b, int y, int p, const SparseCategoricalCrossentropyOptions& o) {
  return Crossentropies(b, ClassNumbers(b, y, p), p, {.from_logits = o.from_logits, .sparse = true});
}

}  // namespace headrace::keras::internal
