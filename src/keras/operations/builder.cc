#include "keras/operations/builder.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace headrace::keras {
namespace {

std::shared_ptr<Variable> Unnamed(Tensor value) {
  return std::make_shared<Variable>(Variable{"", false, std::move(value)});
}

bool IsConstant(const Value& value) { return std::holds_alternative<ConstantOp>(value.op); }

}  // namespace

std::optional<int64_t> BroadcastDimension(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  return std::nullopt;
}

int64_t Elements(const std::string& label, const Shape& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape.dims()) {
    if (dim < 0 && count < 0)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found a value of shape {}, wanted one with the batch once",
                      label, shape.ToString());
    count *= dim;
  }
  return count;
}

Shape ShapeOfBuilt(const std::string& label, const std::vector<Shape>& inputs,
                   const std::function<int(GraphBuilder&, const std::vector<int>&)>& build) {
  Graph graph;
  GraphBuilder builder(graph, label);
  std::vector<int> values;
  for (const Shape& input : inputs) values.push_back(builder.Input(input, DType::kFloat32));
  return builder.shape(build(builder, values));
}

int GraphBuilder::Append(Operation op, std::vector<int> inputs, Shape shape, std::optional<DType> dtype,
                         std::vector<VariablePtr> variables) {
  return graph_.Append({std::move(op), label_, std::move(inputs), std::move(shape), std::move(variables), dtype});
}

int GraphBuilder::Input(Shape shape, DType dtype) { return Append(InputOp{}, {}, std::move(shape), dtype); }

int GraphBuilder::Variable(const VariablePtr& variable) {
  return Append(VariableOp{}, {}, variable->value.shape(), DType::kFloat32, {variable});
}

int GraphBuilder::Constant(const Tensor& value, std::optional<DType> dtype) {
  return Append(ConstantOp{value}, {}, value.shape(), dtype);
}

int GraphBuilder::Ones(const Shape& shape, std::optional<DType> dtype) {
  Tensor ones(DType::kFloat32, shape);
  std::fill_n(ones.data<float>(), ones.size(), 1.0f);
  return Constant(ones, dtype);
}

int GraphBuilder::Cast(int x, std::optional<DType> dtype) {
  if (at(x).dtype == dtype) return x;
  if (const auto* constant = std::get_if<ConstantOp>(&at(x).op)) return Constant(constant->value, dtype);
  return Append(CastOp{}, {x}, shape(x), dtype);
}

int GraphBuilder::WithRank(int x, size_t rank) {
  if (shape(x).rank() == rank) return x;
  std::vector<int64_t> dims(rank - shape(x).rank(), 1);
  dims.insert(dims.end(), shape(x).dims().begin(), shape(x).dims().end());
  return Reshape(x, Shape(std::move(dims)));
}

std::pair<int, int> GraphBuilder::Meet(int a, int b) {
  if (IsConstant(at(a))) a = Cast(a, at(b).dtype);  // constants are what they meet
  if (IsConstant(at(b))) b = Cast(b, at(a).dtype);
  if (at(a).dtype != at(b).dtype) {
    a = Cast(a, DType::kFloat32);
    b = Cast(b, DType::kFloat32);
  }
  const size_t rank = std::max(shape(a).rank(), shape(b).rank());
  return {WithRank(a, rank), WithRank(b, rank)};
}

Shape GraphBuilder::BroadcastShape(const Shape& a, const Shape& b) const {
  Shape out = a;
  for (size_t axis = 0; axis < a.rank(); ++axis) {
    const auto dimension = BroadcastDimension(a[axis], b[axis]);
    if (!dimension)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: found operands of shapes {} and {}, wanted equal dimensions, or 1 where one repeats", label_,
                      a.ToString(), b.ToString());
    out[axis] = *dimension;
  }
  return out;
}

int GraphBuilder::Pointwise(tensor::Pointwise kind, int x, float alpha) {
  return Append(PointwiseOp{kind, alpha}, {x}, shape(x), at(x).dtype);
}

int GraphBuilder::Activation(tensor::Activation activation, int x) {
  return Append(ActivationOp{activation}, {x}, shape(x), at(x).dtype);
}

int GraphBuilder::Binary(tensor::Binary kind, int a, int b) {
  std::tie(a, b) = Meet(a, b);
  const Shape out = BroadcastShape(shape(a), shape(b));
  return Append(BinaryOp{kind}, {a, b}, out, at(a).dtype);
}

int GraphBuilder::Binary(tensor::Binary kind, int a, float b) {
  const Tensor value = Tensor::Scalar(b).Reshape(Shape(std::vector<int64_t>(shape(a).rank(), 1)));
  return Append(BinaryOp{kind, false}, {a}, shape(a), at(a).dtype, {Unnamed(value)});
}

int GraphBuilder::Binary(tensor::Binary kind, float a, int b) {
  const Tensor value = Tensor::Scalar(a).Reshape(Shape(std::vector<int64_t>(shape(b).rank(), 1)));
  return Append(BinaryOp{kind, true}, {b}, shape(b), at(b).dtype, {Unnamed(value)});
}

int GraphBuilder::Select(int condition, int a, int b) {
  const bool constants = IsConstant(at(a)) && IsConstant(at(b));
  std::tie(a, b) = Meet(a, b);
  if (!constants) condition = Cast(condition, at(a).dtype);  // the result has the type of what is chosen from
  std::tie(condition, a) = Meet(condition, a);
  std::tie(condition, b) = Meet(condition, b);
  const Shape out = BroadcastShape(BroadcastShape(shape(condition), shape(a)), shape(b));
  return Append(SelectOp{}, {condition, a, b}, out, at(a).dtype);
}

int64_t GraphBuilder::Axis(int x, int64_t axis) const {
  const int64_t count = rank(x), found = axis < 0 ? axis + count : axis;
  if (found < 0 || found >= count)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: axis: found {} for a value of shape {}, wanted {} to {}", label_,
                    axis, shape(x).ToString(), -count, count - 1);
  return found;
}

int GraphBuilder::Reduce(tensor::Reduction kind, int x, std::vector<int64_t> axes, bool keepdims) {
  std::vector<bool> reduced(shape(x).rank());
  for (const int64_t axis : axes) reduced[static_cast<size_t>(Axis(x, axis))] = true;
  std::vector<int64_t> left, kept;
  for (size_t axis = 0; axis < reduced.size(); ++axis) {
    if (!reduced[axis]) left.push_back(shape(x)[axis]);
    kept.push_back(reduced[axis] ? 1 : shape(x)[axis]);
  }
  if (axes.empty()) return x;
  const int value = Append(ReduceOp{kind, std::move(reduced)}, {x}, Shape(std::move(left)), at(x).dtype);
  return keepdims ? Reshape(value, Shape(std::move(kept))) : value;
}

int GraphBuilder::ReduceAll(tensor::Reduction kind, int x) {
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < rank(x); ++axis) axes.push_back(axis);
  return Reduce(kind, x, std::move(axes));
}

int GraphBuilder::ArgMax(int x) {
  std::vector<int64_t> dims = shape(x).dims();
  dims.pop_back();
  return Append(ArgMaxOp{}, {x}, Shape(std::move(dims)), DType::kFloat32);
}

int GraphBuilder::Reshape(int x, Shape shape) {
  if (shape == this->shape(x)) return x;
  if (Elements(label_, shape) != Elements(label_, this->shape(x)))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found a value of shape {}, wanted one of as many elements as {}",
                    label_, this->shape(x).ToString(), shape.ToString());
  return Append(FlattenOp{}, {x}, std::move(shape), at(x).dtype);
}

int GraphBuilder::ExpandDims(int x, int64_t axis) {
  std::vector<int64_t> dims = shape(x).dims();
  dims.insert(dims.begin() + (axis < 0 ? axis + rank(x) + 1 : axis), 1);
  return Reshape(x, Shape(std::move(dims)));
}

int GraphBuilder::Squeeze(int x, int64_t axis) {
  std::vector<int64_t> dims = shape(x).dims();
  dims.erase(dims.begin() + Axis(x, axis));
  return Reshape(x, Shape(std::move(dims)));
}

int GraphBuilder::Transpose(int x, std::vector<int64_t> axes) {
  std::vector<int64_t> dims;
  for (int64_t& axis : axes) {
    axis = Axis(x, axis);
    dims.push_back(shape(x)[static_cast<size_t>(axis)]);
  }
  return Append(TransposeOp{std::move(axes)}, {x}, Shape(std::move(dims)), at(x).dtype);
}

int GraphBuilder::Concat(const std::vector<int>& parts, int64_t axis) {
  axis = Axis(parts[0], axis);
  const auto along = static_cast<size_t>(axis);
  Shape out = shape(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    Shape other = shape(parts[i]);
    const int64_t more = other.rank() == out.rank() ? std::exchange(other[along], out[along]) : 0;
    if (other != out || (more < 0) != (out[along] < 0))  // the batch is no number that another could be added to
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: found parts of shapes {} and {}, wanted equal ones but in axis {}", label_,
                      shape(parts[0]).ToString(), shape(parts[i]).ToString(), axis);
    out[along] += more;
  }
  return Append(ConcatOp{axis}, parts, out, at(parts[0]).dtype);
}

int GraphBuilder::Slice(int x, std::vector<int64_t> begins, std::vector<int64_t> sizes, std::vector<int64_t> steps) {
  return Append(SliceOp{std::move(begins), std::move(steps)}, {x}, Shape(std::move(sizes)), at(x).dtype);
}

int GraphBuilder::Unslice(int x, std::vector<int64_t> begins, std::vector<int64_t> sizes, std::vector<int64_t> steps) {
  return Append(UnsliceOp{std::move(begins), std::move(steps)}, {x}, Shape(std::move(sizes)), at(x).dtype);
}

int GraphBuilder::Gather(int table, int indices) {
  const auto dtype = at(table).dtype;
  std::vector<int64_t> dims = shape(indices).dims();
  dims.push_back(shape(table)[1]);
  if (std::holds_alternative<VariableOp>(at(table).op))  // read where it lies
    return Append(LookupOp{}, {indices}, Shape(std::move(dims)), dtype, at(table).variables);
  table = Cast(table, DType::kFloat32);
  const int rows = Append(GatherOp{shape(table)[0]}, {table, indices}, Shape(std::move(dims)), DType::kFloat32);
  return Cast(rows, dtype);
}

int GraphBuilder::ScatterSum(int indices, int rows, int64_t count) {
  return Append(ScatterOp{count}, {indices, rows}, {count, shape(rows).dims().back()}, DType::kFloat32);
}

// b is one matrix: the rows of all of a's are multiplied at once.
int GraphBuilder::FlatMatMul(int a, int b, bool transpose_b) {
  std::vector<int64_t> dims = shape(a).dims();
  const int64_t width = dims.back(), rows = Elements(label_, Shape({dims.begin(), dims.end() - 1}));
  dims.back() = shape(b)[transpose_b ? 0 : 1];
  return Reshape(MatMul(Reshape(a, {rows, width}), b, false, transpose_b), Shape(std::move(dims)));
}

int GraphBuilder::MatMul(int a, int b, bool transpose_a, bool transpose_b) {
  const auto sizes = [&](int x, bool transposed) {
    const auto& dims = shape(x).dims();
    const int64_t rows = dims[dims.size() - 2], columns = dims.back();
    return transposed ? std::pair(columns, rows) : std::pair(rows, columns);
  };
  if (rank(a) < 2 || rank(b) < 2 || sizes(a, transpose_a).second != sizes(b, transpose_b).first)
    throw MakeError(
        ErrorCode::kInvalidArgument, "{}: found factors of shapes {} and {}{}, wanted (…, m, k) and (…, k, n)", label_,
        shape(a).ToString(), shape(b).ToString(), transpose_a || transpose_b ? ", one of them transposed" : "");
  if (rank(b) == 2 && rank(a) > 2 && !transpose_a) return FlatMatMul(a, b, transpose_b);
  std::tie(a, b) = Meet(a, b);
  const auto leading = [&](int x) { return Shape({shape(x).dims().begin(), shape(x).dims().end() - 2}); };
  std::vector<int64_t> dims = BroadcastShape(leading(a), leading(b)).dims();
  dims.push_back(sizes(a, transpose_a).first);
  dims.push_back(sizes(b, transpose_b).second);
  return Append(MatMulOp{transpose_a, transpose_b}, {a, b}, Shape(std::move(dims)), at(a).dtype);
}

int GraphBuilder::StopGradient(int x) { return Append(StopGradientOp{}, {x}, shape(x), at(x).dtype); }

int GraphBuilder::Tile(int x, std::vector<int64_t> multiples) {
  Shape out = shape(x);
  for (size_t axis = 0; axis < out.rank(); ++axis) out[axis] *= multiples[axis];
  return Append(TileOp{std::move(multiples)}, {x}, out, at(x).dtype);
}

int GraphBuilder::BroadcastTo(int x, const Shape& wanted) {
  x = WithRank(x, wanted.rank());
  if (shape(x) == wanted) return x;
  std::vector<int64_t> multiples;
  for (size_t axis = 0; axis < wanted.rank(); ++axis) multiples.push_back(shape(x)[axis] == 1 ? wanted[axis] : 1);
  return Tile(x, std::move(multiples));
}

int GraphBuilder::SumTo(int x, const Shape& wanted) {
  if (shape(x) == wanted) return x;
  const size_t more = shape(x).rank() - wanted.rank();
  std::vector<int64_t> axes;
  for (size_t axis = 0; axis < shape(x).rank(); ++axis)
    if (axis < more || (wanted[axis - more] == 1 && shape(x)[axis] != 1)) axes.push_back(static_cast<int64_t>(axis));
  return Reshape(Sum(x, axes), wanted);
}

}  // namespace headrace::keras
