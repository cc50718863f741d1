// Element-wise operations of two inputs. Two constants are computed now; a constant for each channel (or one for all)
// is a BatchNormalization with nothing to normalise; two activations are a sum, or part of gelu and swish.
#include <algorithm>
#include <cmath>
#include <optional>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

using keras::VariablePtr;

// ---------------------------------------------------------------------------------------------- two constants

constexpr int64_t kMaxFolded = int64_t{1} << 26;

// The shape of a op b, aligned at the last axis, where a dimension of 1 repeats; none when they do not fit.
std::optional<Shape> Broadcast(const Shape& a, const Shape& b) {
  std::vector<int64_t> dims(std::max(a.rank(), b.rank()), 1);
  for (size_t back = 0; back < dims.size(); ++back) {
    const int64_t x = back < a.rank() ? a[a.rank() - 1 - back] : 1, y = back < b.rank() ? b[b.rank() - 1 - back] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    dims[dims.size() - 1 - back] = x == 1 ? y : x;
  }
  return Shape(std::move(dims));
}

// Where element `i` of a tensor of shape `out` is in one of shape `in`.
int64_t Place(int64_t i, const Shape& out, const Shape& in) {
  int64_t place = 0, step = 1;
  for (size_t back = 0; back < in.rank(); ++back) {
    const int64_t size = out[out.rank() - 1 - back], own = in[in.rank() - 1 - back];
    if (own != 1) place += i % size * step;
    i /= size;
    step *= own;
  }
  return place;
}

template <typename T, typename F>
Tensor FoldTyped(const Tensor& a, const Tensor& b, const Shape& shape, F&& f) {
  Tensor result(a.dtype(), shape);
  const T *x = a.data<T>(), *y = b.data<T>();
  T* z = result.data<T>();
  for (int64_t i = 0; i < result.size(); ++i) {
    const T u = x[Place(i, shape, a.shape())], v = y[Place(i, shape, b.shape())];
    if constexpr (std::is_same_v<T, float>) {
      z[i] = f(u, v);
    } else {  // of small whole numbers, as shapes are
      z[i] = static_cast<T>(f(static_cast<float>(u), static_cast<float>(v)));
    }
  }
  return result;
}

bool IsSmall(const Tensor& t) {
  if (t.dtype() == DType::kFloat32) return true;
  if (t.dtype() != DType::kInt32 && t.dtype() != DType::kInt64) return false;
  for (int64_t i = 0; i < t.size(); ++i) {
    const int64_t value = t.dtype() == DType::kInt32 ? t.data<int32_t>()[i] : t.data<int64_t>()[i];
    if (value < -4096 || value > 4096) return false;  // so that products are exact in float
  }
  return true;
}

// Whether an element of a shape's numbers stands for the batch.
bool HoldsBatch(const Constant& constant) {
  const Tensor& t = constant.value;
  if (!constant.symbolic || t.dtype() != DType::kInt32) return constant.symbolic;
  return std::any_of(t.data<int32_t>(), t.data<int32_t>() + t.size(), [](int32_t value) { return value < 0; });
}

template <typename F>
Result<Item> Fold(const tf::NodeDef& node, const Constant& a, const Constant& b, F&& f) {
  const auto shape = Broadcast(a.value.shape(), b.value.shape());
  const bool known = a.value.dtype() == b.value.dtype() && IsSmall(a.value) && IsSmall(b.value);
  int64_t elements = 1;
  bool fits = shape.has_value();
  for (size_t axis = 0; fits && axis < shape->rank(); ++axis)
    fits = !__builtin_mul_overflow(elements, (*shape)[axis], &elements) && elements <= kMaxFolded;
  const bool division = node.op() == "RealDiv" && a.value.dtype() != DType::kFloat32;
  if (!known || !fits || division || HoldsBatch(a) || HoldsBatch(b)) return Item(Unknown{&node});
  if (a.value.dtype() == DType::kFloat32)
    return Item(Constant{FoldTyped<float>(a.value, b.value, *shape, f), node.name()});
  if (a.value.dtype() == DType::kInt32)
    return Item(Constant{FoldTyped<int32_t>(a.value, b.value, *shape, f), node.name()});
  return Item(Constant{FoldTyped<int64_t>(a.value, b.value, *shape, f), node.name()});
}

// --------------------------------------------------------------------------------- an activation and a constant

struct Affine {  // x * scale + shift
  float scale = 1, shift = 0;
};

// Layers want a positive epsilon; with variance 1 - epsilon their sum is exactly 1.
constexpr float kEpsilon = 0x1p-10f;

VariablePtr Channels(const std::string& name, int64_t channels, float value) {
  Tensor tensor(DType::kFloat32, {channels});
  std::fill_n(tensor.data<float>(), channels, value);
  return std::make_shared<keras::Variable>(keras::Variable{name, false, tensor});
}

// One number, or one for each channel along the last axis.
bool IsPerChannel(const Tensor& value, int64_t channels) {
  if (value.dtype() != DType::kFloat32) return false;
  const size_t rank = value.shape().rank();
  return value.size() == 1 || (value.size() == channels && rank > 0 && value.dim(rank - 1) == channels);
}

// The value that `value` scales by a constant, when that is all it does.
std::optional<int> ScaledOnly(const keras::Value& value) {
  const auto* norm = std::get_if<keras::BatchNormOp>(&value.op);
  if (norm == nullptr || norm->trainable || norm->epsilon != kEpsilon) return std::nullopt;  // not one of ours
  const Tensor& beta = value.variables[1]->value;
  const float* shift = beta.data<float>();
  if (!std::all_of(shift, shift + beta.size(), [](float x) { return x == 0; })) return std::nullopt;
  return value.inputs[0];
}

// A constant of any shape that repeats along the batch, as float32 with as many dimensions as `rank`.
std::optional<Tensor> Operand(const Constant& constant, size_t rank) {
  const Tensor& value = constant.value;
  const bool known = !constant.symbolic && value.dtype() != DType::kBFloat16 && value.shape().rank() <= rank &&
                     value.size() > 0 && (value.shape().rank() < rank || value.dim(0) == 1);
  if (!known) return std::nullopt;
  std::vector<int64_t> dims(rank - value.shape().rank(), 1);
  dims.insert(dims.end(), value.shape().dims().begin(), value.shape().dims().end());
  return value.Cast(DType::kFloat32).Reshape(Shape(std::move(dims)));
}

// x op constant, or constant op x.
Result<Item> EmitWithConstant(GraphImporter& importer, const tf::NodeDef& node, int x, const Constant& constant,
                              tensor::Binary kind, bool constant_first) {
  const Shape in = importer.ShapeAt(x);
  const auto operand = Operand(constant, in.rank());
  const auto shape = operand ? Broadcast(in, operand->shape()) : std::nullopt;
  if (!shape)
    return Fail(ErrorCode::kInvalidArgument, "{}: its constant '{}' is {} {}, which does not fit {}", Describe(node),
                constant.name, NameOf(constant.value.dtype()), constant.value.shape().ToString(), in.ToString());
  auto variable = std::make_shared<keras::Variable>(keras::Variable{constant.name, true, *operand});
  return importer.Emit(node, keras::BinaryOp{kind, constant_first}, {x}, *shape, {std::move(variable)});
}

// Whether EmitAffine takes it: one operation that folds into its neighbours.
bool IsAffine(GraphImporter& importer, int x, const Constant& constant) {
  const Shape& shape = importer.ShapeAt(x);
  return shape.rank() > 1 && IsPerChannel(constant.value, shape[shape.rank() - 1]);
}

template <typename F>
Result<Item> EmitAffine(GraphImporter& importer, const tf::NodeDef& node, int x, const Constant& constant, F&& affine) {
  const Shape shape = importer.ShapeAt(x);
  const int64_t channels = shape[shape.rank() - 1];
  const VariablePtr scale = Channels(node.name() + "/gamma", channels, 1);
  const VariablePtr shift = Channels(node.name() + "/beta", channels, 0);
  const float* values = constant.value.data<float>();
  for (int64_t i = 0; i < channels; ++i) {
    const Affine result = affine(values[constant.value.size() == 1 ? 0 : i]);
    scale->value.data<float>()[i] = result.scale;
    shift->value.data<float>()[i] = result.shift;
  }
  keras::BatchNormOp op;
  op.epsilon = kEpsilon;
  op.trainable = false;
  std::vector<VariablePtr> weights = {scale, shift, Channels(node.name() + "/moving_mean", channels, 0),
                                      Channels(node.name() + "/moving_variance", channels, 1 - kEpsilon)};
  const keras::Value before = importer.graph().values[static_cast<size_t>(x)];
  const float* factor = scale->value.data<float>();
  const bool shifts = std::all_of(factor, factor + channels, [](float s) { return s == 1; });
  if (const auto scaled = ScaledOnly(before); scaled && shifts) {  // x * scale, now + shift: one operation
    weights[0] = before.variables[0];
    return importer.Emit(node, op, {*scaled}, shape, std::move(weights));
  }
  return importer.Emit(node, op, {x}, shape, std::move(weights));
}

// ------------------------------------------------------------------------------------------------ dispatching

struct Operands {
  Item a, b;
  const Constant* constant_a() const { return std::get_if<Constant>(&a); }
  const Constant* constant_b() const { return std::get_if<Constant>(&b); }
  const Unknown* unknown() const {
    const auto* first = std::get_if<Unknown>(&a);
    return first != nullptr ? first : std::get_if<Unknown>(&b);
  }
};

Result<Operands> ReadOperands(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Item a, importer.Input(node, 0));
  HEADRACE_ASSIGN(Item b, importer.Input(node, 1));
  return Operands{std::move(a), std::move(b)};
}

// Two activations: equal ranks, batch by batch.
Result<Item> EmitBinary(GraphImporter& importer, const tf::NodeDef& node, tensor::Binary kind) {
  HEADRACE_ASSIGN(const int a, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const int b, importer.Activation(node, 1));
  const Shape x = importer.ShapeAt(a), y = importer.ShapeAt(b);
  const auto shape = x.rank() == y.rank() ? Broadcast(x, y) : std::nullopt;
  if (!shape)
    return Fail(ErrorCode::kInvalidArgument, "{}: it combines {} and {}, wanted equal dimensions, or 1", Describe(node),
                x.ToString(), y.ToString());
  return importer.Emit(node, keras::BinaryOp{kind}, {a, b}, *shape);
}

// left: constant op x; right: x op constant; both for a number a channel, or one for all.
template <typename F, typename Left, typename Right>
Result<Item> ImportAffine(GraphImporter& importer, const tf::NodeDef& node, tensor::Binary kind, F&& fold, Left&& left,
                          Right&& right) {
  HEADRACE_ASSIGN(const Operands in, ReadOperands(importer, node));
  if (in.unknown() != nullptr) return Item(*in.unknown());
  if (in.constant_a() != nullptr && in.constant_b() != nullptr)
    return Fold(node, *in.constant_a(), *in.constant_b(), fold);
  if (in.constant_a() != nullptr) {
    HEADRACE_ASSIGN(const int x, importer.Activation(node, 1));
    if (IsAffine(importer, x, *in.constant_a())) return left(x, *in.constant_a());
    return EmitWithConstant(importer, node, x, *in.constant_a(), kind, true);
  }
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  if (in.constant_b() != nullptr && IsAffine(importer, x, *in.constant_b())) return right(x, *in.constant_b());
  if (in.constant_b() != nullptr) return EmitWithConstant(importer, node, x, *in.constant_b(), kind, false);
  if (std::holds_alternative<VariableHandle>(in.a) || std::holds_alternative<VariableHandle>(in.b))
    return Item(Unknown{&node});
  return EmitBinary(importer, node, kind);
}

// ------------------------------------------------------------------------------------------- gelu and swish

const tf::NodeDef* SourceOf(const GraphImporter& importer, const tf::NodeDef& node, int i, std::string_view op) {
  const auto source = importer.index().Input(node, i);
  return source && source->first->op() == op ? source->first : nullptr;
}

// Input `i` of `node` is the one number `wanted`.
bool IsNumber(const GraphImporter& importer, const tf::NodeDef& node, int i, float wanted) {
  const auto constant = importer.ConstantInput(node, i);
  return constant && constant->value.dtype() == DType::kFloat32 && constant->value.size() == 1 &&
         std::abs(constant->value.data<float>()[0] - wanted) < 1e-6f;
}

// x of x / sqrt(2) or x * sqrt(1/2).
std::optional<int> HalfPowerArgument(const GraphImporter& importer, const tf::NodeDef& node) {
  const bool quotient = node.op() == "RealDiv" && IsNumber(importer, node, 1, 1.41421356f);
  const bool product = node.op() == "Mul" && IsNumber(importer, node, 1, 0.70710678f);
  const auto x = importer.Activation(node, 0);
  return x && (quotient || product) ? std::optional(*x) : std::nullopt;
}

// x of -x.
std::optional<int> NegatedArgument(const GraphImporter& importer, int value) {
  const keras::Value& made = importer.graph().values[static_cast<size_t>(value)];
  const auto* op = std::get_if<keras::PointwiseOp>(&made.op);
  return op != nullptr && op->kind == tensor::Pointwise::kNeg ? std::optional(made.inputs[0]) : std::nullopt;
}

// x of 1 + erf(x / sqrt(2)), or of erfc(-x / sqrt(2)), which is the same.
std::optional<int> CumulativeArgument(const GraphImporter& importer, const tf::NodeDef& node) {
  if (node.op() == "Erfc") {
    const auto argument = importer.index().Input(node, 0);
    const auto negated = argument ? HalfPowerArgument(importer, *argument->first) : std::nullopt;
    return negated ? NegatedArgument(importer, *negated) : std::nullopt;
  }
  if (node.op() != "AddV2" && node.op() != "Add") return std::nullopt;
  for (const int i : {0, 1}) {
    const tf::NodeDef* erf = SourceOf(importer, node, i, "Erf");
    if (erf == nullptr || !IsNumber(importer, node, 1 - i, 1)) continue;
    const auto argument = importer.index().Input(*erf, 0);
    return argument ? HalfPowerArgument(importer, *argument->first) : std::nullopt;
  }
  return std::nullopt;
}

// x when input `i` of `node` is 0.5 * x.
std::optional<int> HalvedArgument(const GraphImporter& importer, const tf::NodeDef& node, int i) {
  const tf::NodeDef* mul = SourceOf(importer, node, i, "Mul");
  if (mul == nullptr) return std::nullopt;
  for (const int k : {0, 1}) {
    const auto x = importer.Activation(*mul, 1 - k);
    if (x && IsNumber(importer, *mul, k, 0.5f)) return *x;
  }
  return std::nullopt;
}

// 0.5 * x * (1 + erf(x / sqrt(2))), which is gelu(x).
std::optional<int> GeluArgument(const GraphImporter& importer, const tf::NodeDef& node) {
  for (const int i : {0, 1}) {
    const auto half = HalvedArgument(importer, node, i);
    const auto sum = importer.index().Input(node, 1 - i);
    if (half && sum && CumulativeArgument(importer, *sum->first) == half) return half;
  }
  return std::nullopt;
}

bool IsSigmoidOf(const GraphImporter& importer, int value, int x) {
  const keras::Value& made = importer.graph().values[static_cast<size_t>(value)];
  const auto* op = std::get_if<keras::ActivationOp>(&made.op);
  return op != nullptr && op->activation == tensor::Activation::kSigmoid && made.inputs[0] == x;
}

Result<Item> EmitActivation(GraphImporter& importer, const tf::NodeDef& node, tensor::Activation kind, int x) {
  return importer.Emit(node, keras::ActivationOp{kind}, {x}, Shape(importer.ShapeAt(x)));
}

}  // namespace

Result<Item> ImportAdd(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Operands in, ReadOperands(importer, node));
  const auto *a = std::get_if<GraphValue>(&in.a), *b = std::get_if<GraphValue>(&in.b);
  if (a != nullptr && b != nullptr) {
    const Shape shape = importer.ShapeAt(a->index);
    if (shape != importer.ShapeAt(b->index)) return EmitBinary(importer, node, tensor::Binary::kAdd);
    return importer.Emit(node, keras::AddOp{}, {a->index, b->index}, shape);
  }
  const auto add = [&](int x, const Constant& c) -> Result<Item> {
    const Shape& shape = importer.ShapeAt(x);
    if (c.value.dtype() == DType::kFloat32 && c.value.shape() == Shape{shape[shape.rank() - 1]}) {
      auto bias = std::make_shared<keras::Variable>(keras::Variable{c.name, true, c.value});
      HEADRACE_ASSIGN(Item item, ImportBias(importer, node, x, std::move(bias)));
      if (!std::holds_alternative<Unknown>(item)) return item;
    }
    return EmitAffine(importer, node, x, c, [](float v) { return Affine{1, v}; });
  };
  return ImportAffine(
      importer, node, tensor::Binary::kAdd, [](float x, float y) { return x + y; }, add, add);
}

Result<Item> ImportSub(GraphImporter& importer, const tf::NodeDef& node) {
  return ImportAffine(
      importer, node, tensor::Binary::kSub, [](float x, float y) { return x - y; },
      [&](int x, const Constant& c) { return EmitAffine(importer, node, x, c, [](float v) {
                                        return Affine{-1, v};
                                      }); },
      [&](int x, const Constant& c) {
        return EmitAffine(importer, node, x, c, [](float v) { return Affine{1, -v}; });
      });
}

Result<Item> ImportMul(GraphImporter& importer, const tf::NodeDef& node) {
  if (const auto x = GeluArgument(importer, node)) return EmitActivation(importer, node, tensor::Activation::kGelu, *x);
  HEADRACE_ASSIGN(const Operands in, ReadOperands(importer, node));
  const auto *a = std::get_if<GraphValue>(&in.a), *b = std::get_if<GraphValue>(&in.b);
  if (a != nullptr && b != nullptr) {
    for (const auto& [x, y] : {std::pair(a->index, b->index), std::pair(b->index, a->index)})
      if (IsSigmoidOf(importer, y, x)) return EmitActivation(importer, node, tensor::Activation::kSwish, x);
  }
  const auto scale = [&](int x, const Constant& c) {
    return EmitAffine(importer, node, x, c, [](float v) { return Affine{v, 0}; });
  };
  return ImportAffine(
      importer, node, tensor::Binary::kMul, [](float x, float y) { return x * y; }, scale, scale);
}

Result<Item> ImportRealDiv(GraphImporter& importer, const tf::NodeDef& node) {
  return ImportAffine(
      importer, node, tensor::Binary::kDiv, [](float x, float y) { return x / y; },
      [&](int x, const Constant& c) { return EmitWithConstant(importer, node, x, c, tensor::Binary::kDiv, true); },
      [&](int x, const Constant& c) {
        return EmitAffine(importer, node, x, c, [](float v) { return Affine{1 / v, 0}; });
      });
}

namespace {

// An operation that is not affine.
template <typename F>
Result<Item> ImportOther(GraphImporter& importer, const tf::NodeDef& node, tensor::Binary kind, F&& fold) {
  const auto emit = [&](bool first) {
    return [&importer, &node, kind, first](int x, const Constant& c) {
      return EmitWithConstant(importer, node, x, c, kind, first);
    };
  };
  return ImportAffine(importer, node, kind, fold, emit(true), emit(false));
}

}  // namespace

Result<Item> ImportMinMax(GraphImporter& importer, const tf::NodeDef& node) {
  if (node.op() == "Minimum")
    return ImportOther(importer, node, tensor::Binary::kMinimum, [](float x, float y) { return std::min(x, y); });
  return ImportOther(importer, node, tensor::Binary::kMaximum, [](float x, float y) { return std::max(x, y); });
}

Result<Item> ImportSquaredDifference(GraphImporter& importer, const tf::NodeDef& node) {
  return ImportOther(importer, node, tensor::Binary::kSquaredDifference,
                     [](float x, float y) { return (x - y) * (x - y); });
}

Result<Item> ImportPower(GraphImporter& importer, const tf::NodeDef& node) {
  return ImportOther(importer, node, tensor::Binary::kPower, [](float x, float y) { return std::pow(x, y); });
}

// Truth values of activations are 1 and 0; Select is what reads them.
Result<Item> ImportComparison(GraphImporter& importer, const tf::NodeDef& node) {
  static constexpr std::pair<std::string_view, tensor::Binary> kKinds[] = {
      {"Less", tensor::Binary::kLess},
      {"LessEqual", tensor::Binary::kLessEqual},
      {"Greater", tensor::Binary::kGreater},
      {"GreaterEqual", tensor::Binary::kGreaterEqual},
  };
  HEADRACE_ASSIGN(const Operands in, ReadOperands(importer, node));
  if (in.constant_a() != nullptr && in.constant_b() != nullptr) return Item(Unknown{&node});
  for (const auto& [op, kind] : kKinds)
    if (op == node.op()) return ImportOther(importer, node, kind, [](float x, float) { return x; });
  return Item(Unknown{&node});
}

Result<Item> ImportSelect(GraphImporter& importer, const tf::NodeDef& node) {
  std::vector<int> values;
  Shape shape;
  for (int i = 0; i < 3; ++i) {
    HEADRACE_ASSIGN(const Item item, importer.Input(node, i));
    if (!std::holds_alternative<GraphValue>(item))
      return std::holds_alternative<Unknown>(item) ? item : Item(Unknown{&node});
    values.push_back(std::get<GraphValue>(item).index);
    const Shape own = importer.ShapeAt(values.back());
    const auto both = i == 0 ? std::optional(own) : own.rank() == shape.rank() ? Broadcast(own, shape) : std::nullopt;
    if (!both)
      return Fail(ErrorCode::kInvalidArgument, "{}: it chooses between {} and {}, wanted equal dimensions, or 1",
                  Describe(node), shape.ToString(), own.ToString());
    shape = *both;
  }
  return importer.Emit(node, keras::SelectOp{}, values, shape);
}

Result<Item> ImportAddN(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(int sum, importer.Activation(node, 0));
  const Shape shape = importer.ShapeAt(sum);
  for (int i = 1; i < DataInputs(node); ++i) {
    HEADRACE_ASSIGN(const int next, importer.Activation(node, i));
    if (importer.ShapeAt(next) != shape)
      return Fail(ErrorCode::kInvalidArgument, "{}: it adds {} and {}", Describe(node), shape.ToString(),
                  importer.ShapeAt(next).ToString());
    HEADRACE_ASSIGN(const Item item, importer.Emit(node, keras::AddOp{}, {sum, next}, shape));
    sum = std::get<GraphValue>(item).index;
  }
  return Item(GraphValue{sum});
}

Result<Item> ImportPointwise(GraphImporter& importer, const tf::NodeDef& node) {
  using F = float (*)(float);
  static constexpr struct {
    std::string_view op;
    tensor::Pointwise kind;
    F fold;  // of constants; null: not folded
  } kKinds[] = {
      {"Abs", tensor::Pointwise::kAbs, [](float x) { return std::abs(x); }},
      {"Erf", tensor::Pointwise::kErf, nullptr},
      {"Exp", tensor::Pointwise::kExp, [](float x) { return std::exp(x); }},
      {"Expm1", tensor::Pointwise::kExpm1, nullptr},
      {"Inv", tensor::Pointwise::kReciprocal, [](float x) { return 1 / x; }},
      {"LeakyRelu", tensor::Pointwise::kLeakyRelu, nullptr},
      {"Log", tensor::Pointwise::kLog, [](float x) { return std::log(x); }},
      {"Log1p", tensor::Pointwise::kLog1p, nullptr},
      {"Neg", tensor::Pointwise::kNeg, [](float x) { return -x; }},
      {"Reciprocal", tensor::Pointwise::kReciprocal, [](float x) { return 1 / x; }},
      {"Relu6", tensor::Pointwise::kRelu6, nullptr},
      {"Rsqrt", tensor::Pointwise::kRsqrt, [](float x) { return 1.0f / std::sqrt(x); }},
      {"Selu", tensor::Pointwise::kSelu, nullptr},
      {"Softplus", tensor::Pointwise::kSoftplus, nullptr},
      {"Softsign", tensor::Pointwise::kSoftsign, nullptr},
      {"Sqrt", tensor::Pointwise::kSqrt, [](float x) { return std::sqrt(x); }},
      {"Square", tensor::Pointwise::kSquare, [](float x) { return x * x; }},
  };
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& entry) { return entry.op == node.op(); });
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (const auto* constant = std::get_if<Constant>(&item)) {
    if (constant->value.dtype() != DType::kFloat32 || kind->fold == nullptr) return Item(Unknown{&node});
    Tensor result = constant->value.Clone();
    float* values = result.data<float>();
    std::transform(values, values + result.size(), values, kind->fold);
    return Item(Constant{std::move(result), node.name()});
  }
  if (std::holds_alternative<Unknown>(item)) return item;
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  const float alpha = kind->kind == tensor::Pointwise::kLeakyRelu ? FloatAttribute(node, "alpha", 0.2f) : 0;
  return importer.Emit(node, keras::PointwiseOp{kind->kind, alpha}, {x}, Shape(importer.ShapeAt(x)));
}

// Nothing is less than itself.
Result<Item> ImportZerosLike(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  return importer.Emit(node, keras::BinaryOp{tensor::Binary::kLess}, {x, x}, Shape(importer.ShapeAt(x)));
}

}  // namespace headrace::savedmodel
