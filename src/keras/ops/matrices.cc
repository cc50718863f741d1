// headrace/ops.h: products of matrices, rows by their numbers, constants.
#include <algorithm>
#include <numeric>

#include "headrace/ops.h"

#include "base/result.h"
#include "keras/losses/formulas.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras::ops {
namespace {

using internal::Apply;

int64_t Product(const char* name, const std::vector<int64_t>& dims, size_t begin, size_t end) {
  return Elements(name, Shape({dims.begin() + static_cast<int64_t>(begin), dims.begin() + static_cast<int64_t>(end)}));
}

KerasTensor Shaped(const char* name, const KerasTensor& x, std::vector<int64_t> dims) {
  return Apply(name, {x}, [shape = Shape(std::move(dims))](GraphBuilder& build, const std::vector<int>& in) {
    return build.Reshape(in[0], shape);
  });
}

KerasTensor Like(const char* name, const KerasTensor& x, float value) {
  return Apply(name, {x}, [value](GraphBuilder& build, const std::vector<int>& in) {
    const int nothing = build.Mul(build.Binary(tensor::Binary::kEqual, in[0], in[0]), 0.0f);
    return build.Add(nothing, value);
  });
}

Tensor Filled(const std::vector<int64_t>& shape, float value) {
  for (const int64_t dim : shape)
    if (dim < 0)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "full: found shape {}, wanted known sizes (full_like() has those of a value)",
                      Shape(shape).ToString());
  Tensor tensor(DType::kFloat32, Shape(shape));
  std::fill_n(tensor.data<float>(), tensor.size(), value);
  return tensor;
}

}  // namespace

// A vector is a row in front and a column behind, and its axis of 1 goes again.
KerasTensor matmul(const KerasTensor& x1, const KerasTensor& x2) {
  const bool row = x1.shape().rank() == 1, column = x2.shape().rank() == 1;
  const KerasTensor product =
      Apply("matmul", {row ? expand_dims(x1, 0) : x1, column ? expand_dims(x2, 1) : x2},
            [](GraphBuilder& build, const std::vector<int>& x) { return build.MatMul(x[0], x[1]); });
  if (!row && !column) return product;
  return squeeze(product, row && column ? Axes{-2, -1} : row ? Axes(-2) : Axes(-1));
}

// The last axis of x1 and the one before the last of x2.
KerasTensor dot(const KerasTensor& x1, const KerasTensor& x2) {
  if (x1.shape().rank() == 0 || x2.shape().rank() == 0) return x1 * x2;
  if (x2.shape().rank() <= 2) return matmul(x1, x2);
  const auto rank = static_cast<int64_t>(x2.shape().rank());
  return tensordot(x1, moveaxis(x2, rank - 2, 0), 1);
}

KerasTensor tensordot(const KerasTensor& x1, const KerasTensor& x2, int64_t axes) {
  const std::vector<int64_t>&a = x1.shape().dims(), &b = x2.shape().dims();
  const auto count = static_cast<size_t>(axes);
  if (axes < 1 || a.size() < count || b.size() < count || !std::equal(b.begin(), b.begin() + axes, a.end() - axes))
    throw MakeError(
        ErrorCode::kInvalidArgument,
        "tensordot: found shapes {} and {}, wanted the first {} axes of the second as the last of the first",
        x1.shape().ToString(), x2.shape().ToString(), axes);
  const size_t left = a.size() - count;
  std::vector<int64_t> dims(a.begin(), a.begin() + static_cast<int64_t>(left));
  dims.insert(dims.end(), b.begin() + axes, b.end());
  const KerasTensor product =
      matmul(Shaped("tensordot", x1, {Product("tensordot", a, 0, left), Product("tensordot", a, left, a.size())}),
             Shaped("tensordot", x2, {Product("tensordot", b, 0, count), Product("tensordot", b, count, b.size())}));
  return Shaped("tensordot", product, std::move(dims));
}

KerasTensor take(const KerasTensor& x, const KerasTensor& indices, int64_t axis) {
  const auto rank = static_cast<int64_t>(x.shape().rank());
  const KerasTensor first = moveaxis(x, axis, 0);
  std::vector<int64_t> dims = first.shape().dims();
  if (dims[0] < 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "take: axis: found {}, the batch, of a value of shape {}, wanted another one", axis,
                    x.shape().ToString());
  const KerasTensor table = Shaped("take", first, {dims[0], Product("take", dims, 1, dims.size())});
  const KerasTensor rows = Apply("take", {table, indices}, [](GraphBuilder& build, const std::vector<int>& in) {
    return build.Gather(in[0], in[1]);
  });
  std::vector<int64_t> shape = indices.shape().dims();  // [indices…, the rest of x]
  shape.insert(shape.end(), dims.begin() + 1, dims.end());
  const KerasTensor result = Shaped("take", rows, std::move(shape));
  // The axes of x in front of `axis` go in front again.
  const int64_t front = axis < 0 ? axis + rank : axis, many = static_cast<int64_t>(indices.shape().rank());
  if (front == 0) return result;
  std::vector<int64_t> axes(result.shape().rank());
  std::iota(axes.begin(), axes.end(), 0);
  std::rotate(axes.begin(), axes.begin() + many, axes.begin() + many + front);
  return transpose(result, axes);
}

KerasTensor one_hot(const KerasTensor& x, int64_t num_classes, int64_t axis) {
  if (num_classes < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "one_hot: num_classes: found {}, wanted 1 or more", num_classes);
  const KerasTensor last = Apply("one_hot", {x}, [num_classes](GraphBuilder& build, const std::vector<int>& in) {
    return internal::OneHot(build, build.Cast(in[0], DType::kFloat32), num_classes);
  });
  return moveaxis(last, -1, axis);
}

KerasTensor convert_to_tensor(const Tensor& x) {
  if (!x.defined()) throw MakeError(ErrorCode::kInvalidArgument, "convert_to_tensor: found an undefined Tensor");
  return Apply("constant", {}, [value = x.Cast(DType::kFloat32)](GraphBuilder& build, const std::vector<int>&) {
    return build.Constant(value, DType::kFloat32);
  });
}

KerasTensor full(const std::vector<int64_t>& shape, float fill_value) {
  return convert_to_tensor(Filled(shape, fill_value));
}
KerasTensor zeros(const std::vector<int64_t>& shape) { return full(shape, 0); }
KerasTensor ones(const std::vector<int64_t>& shape) { return full(shape, 1); }

KerasTensor arange(int64_t stop) { return arange(0, stop); }
KerasTensor arange(int64_t start, int64_t stop, int64_t step) {
  std::vector<float> values;
  if (step == 0) throw MakeError(ErrorCode::kInvalidArgument, "arange: step: found 0, wanted another one");
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) values.push_back(static_cast<float>(i));
  return convert_to_tensor(Tensor::FromVector(values, {static_cast<int64_t>(values.size())}));
}

KerasTensor eye(int64_t n) {
  Tensor tensor = Filled({n, n}, 0);
  for (int64_t i = 0; i < n; ++i) tensor.data<float>()[i * n + i] = 1;
  return convert_to_tensor(tensor);
}

KerasTensor tri(int64_t n, int64_t m, int64_t k) {
  Tensor tensor = Filled({n, m}, 0);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m && j <= i + k; ++j) tensor.data<float>()[i * m + j] = 1;
  return convert_to_tensor(tensor);
}

KerasTensor zeros_like(const KerasTensor& x) { return Like("zeros_like", x, 0); }
KerasTensor ones_like(const KerasTensor& x) { return Like("ones_like", x, 1); }
KerasTensor full_like(const KerasTensor& x, float fill_value) { return Like("full_like", x, fill_value); }

}  // namespace headrace::keras::ops
