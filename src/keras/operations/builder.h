// GraphBuilder: appends operations to a graph and knows their shapes. Layers' own operations, losses, metrics,
// regularizers and gradients are built with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "keras/graph.h"

namespace headrace::keras {

class GraphBuilder {
 public:
  // label: of the values made here, for messages. The graph outlives the builder.
  GraphBuilder(Graph& graph, std::string label) : graph_(graph), label_(std::move(label)) {}

  Graph& graph() { return graph_; }
  const Value& at(int value) const { return graph_.values[static_cast<size_t>(value)]; }
  const Shape& shape(int value) const { return at(value).shape; }
  int64_t rank(int value) const { return static_cast<int64_t>(shape(value).rank()); }

  int Input(Shape shape, DType dtype);
  int Variable(const VariablePtr& variable);
  int Constant(const Tensor& value, std::optional<DType> dtype);
  int Ones(const Shape& shape, std::optional<DType> dtype);  // all dimensions known

  // Element by element. Two shapes meet as in numpy: the last axes face each other, a dimension of 1 repeats. Operands
  // of different types become float32. Throws kInvalidArgument for shapes that do not fit.
  int Pointwise(tensor::Pointwise kind, int x, float alpha = 0);
  int Binary(tensor::Binary kind, int a, int b);
  int Binary(tensor::Binary kind, int a, float b);
  int Binary(tensor::Binary kind, float a, int b);
  int Select(int condition, int a, int b);
  int Activation(tensor::Activation activation, int x);
  int Cast(int x, std::optional<DType> dtype);

  int Add(int a, int b) { return Binary(tensor::Binary::kAdd, a, b); }
  int Add(int a, float b) { return Binary(tensor::Binary::kAdd, a, b); }
  int Sub(int a, int b) { return Binary(tensor::Binary::kSub, a, b); }
  int Mul(int a, int b) { return Binary(tensor::Binary::kMul, a, b); }
  int Mul(int a, float b) { return Binary(tensor::Binary::kMul, a, b); }
  int Div(int a, int b) { return Binary(tensor::Binary::kDiv, a, b); }
  int Neg(int x) { return Pointwise(tensor::Pointwise::kNeg, x); }

  // Axes from behind when negative.
  int Reduce(tensor::Reduction kind, int x, std::vector<int64_t> axes, bool keepdims = false);
  int ReduceAll(tensor::Reduction kind, int x);
  int Sum(int x, std::vector<int64_t> axes, bool keepdims = false) {
    return Reduce(tensor::Reduction::kSum, x, std::move(axes), keepdims);
  }
  int Mean(int x, std::vector<int64_t> axes, bool keepdims = false) {
    return Reduce(tensor::Reduction::kMean, x, std::move(axes), keepdims);
  }
  int ArgMax(int x);

  int Reshape(int x, Shape shape);
  int ExpandDims(int x, int64_t axis);
  int Squeeze(int x, int64_t axis);  // of size 1
  int Transpose(int x, std::vector<int64_t> axes);
  int Concat(const std::vector<int>& parts, int64_t axis);
  int Slice(int x, std::vector<int64_t> begins, std::vector<int64_t> sizes, std::vector<int64_t> steps);
  // x inside of zeros, as Slice() with these begins and steps would find it in a value of shape `sizes`.
  int Unslice(int x, std::vector<int64_t> begins, std::vector<int64_t> sizes, std::vector<int64_t> steps);
  int Tile(int x, std::vector<int64_t> multiples);
  int Gather(int table, int indices);                    // [rows, width], [...] -> [..., width]
  int ScatterSum(int indices, int rows, int64_t count);  // [...], [..., width] -> [count, width]
  // [..., m, k] and [..., k, n], or transposed; leading axes meet as in numpy.
  int MatMul(int a, int b, bool transpose_a = false, bool transpose_b = false);
  int StopGradient(int x);
  int BroadcastTo(int x, const Shape& shape);  // all dimensions known
  // The sum over what BroadcastTo() or a Binary repeated.
  int SumTo(int x, const Shape& shape);

  int64_t Axis(int x, int64_t axis) const;  // from 0; throws kInvalidArgument where there is none

 private:
  int Append(Operation op, std::vector<int> inputs, Shape shape, std::optional<DType> dtype,
             std::vector<VariablePtr> variables = {});
  // Both with leading axes of 1, and of one type.
  std::pair<int, int> Meet(int a, int b);
  int WithRank(int x, size_t rank);
  int FlatMatMul(int a, int b, bool transpose_b);
  Shape BroadcastShape(const Shape& a, const Shape& b) const;

  Graph& graph_;
  std::string label_;
};

// A dimension of 1 repeats; multiples of the batch meet themselves and 1. None where they do not fit.
std::optional<int64_t> BroadcastDimension(int64_t a, int64_t b);

// The product of the dimensions; negative: times the rows of the batch. Throws kInvalidArgument, naming `label`, where
// the rows count twice.
int64_t Elements(const std::string& label, const Shape& shape);

// The shape of what `build` makes of values of these shapes. label: for messages.
Shape ShapeOfBuilt(const std::string& label, const std::vector<Shape>& inputs,
                   const std::function<int(GraphBuilder& build, const std::vector<int>& inputs)>& build);

}  // namespace headrace::keras
