// headrace/ops.h: keras.ops on symbolic values. What these functions take and give are KerasTensors: in a functional
// model, in a custom layer's call(), in a loss or metric of one's own. Names, arguments and formulas are Keras 3's.
//
//   Loss pinball([](const KerasTensor& y_true, const KerasTensor& y_pred) {
//     const KerasTensor error = y_true - y_pred;
//     return ops::mean(ops::maximum(0.9f * error, -0.1f * error), -1);
//   });
//
// Values are float32, or what the policy computes activations in. Comparisons give 1 and 0. argmax() and
// count_nonzero() give whole numbers in float32 under any policy; an Input() is in the policy's type, and bfloat16 has
// whole numbers to 256 only: under "mixed_bfloat16" take() refuses an Input() as its indices, and one_hot() goes with
// as many classes. Axes count from behind when negative. What does not fit throws headrace::Error with the operation's
// name, the shapes found and those wanted.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "headrace/keras/layer.h"
#include "headrace/tensor.h"

namespace headrace::keras {

// A tensor, or a number that is repeated.
class Operand {
 public:
  Operand(KerasTensor tensor) : tensor_(std::move(tensor)), is_tensor_(true) {}
  Operand(float number) : number_(number) {}
  Operand(double number) : number_(static_cast<float>(number)) {}
  Operand(int number) : number_(static_cast<float>(number)) {}
  Operand(int64_t number) : number_(static_cast<float>(number)) {}

  bool is_tensor() const { return is_tensor_; }
  const KerasTensor& tensor() const { return tensor_; }
  float number() const { return number_; }

 private:
  KerasTensor tensor_;
  bool is_tensor_ = false;
  float number_ = 0;
};

// None given: all of them.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : axes_({axis}), all_(false) {}
  Axes(int64_t axis) : axes_({axis}), all_(false) {}
  Axes(std::initializer_list<int64_t> axes) : axes_(axes), all_(false) {}
  Axes(std::vector<int64_t> axes) : axes_(std::move(axes)), all_(false) {}

  bool all() const { return all_; }
  const std::vector<int64_t>& axes() const { return axes_; }

 private:
  std::vector<int64_t> axes_;
  bool all_ = true;
};

// Of two operands one is a tensor at least: built-in numbers have operators of their own.
KerasTensor operator+(const Operand& a, const Operand& b);
KerasTensor operator-(const Operand& a, const Operand& b);
KerasTensor operator*(const Operand& a, const Operand& b);
KerasTensor operator/(const Operand& a, const Operand& b);
KerasTensor operator-(const KerasTensor& x);
KerasTensor operator<(const Operand& a, const Operand& b);
KerasTensor operator<=(const Operand& a, const Operand& b);
KerasTensor operator>(const Operand& a, const Operand& b);
KerasTensor operator>=(const Operand& a, const Operand& b);

namespace ops {

// -------------------------------------------------------------------------- two operands; shapes meet as in numpy

KerasTensor add(const Operand& x1, const Operand& x2);
KerasTensor subtract(const Operand& x1, const Operand& x2);
KerasTensor multiply(const Operand& x1, const Operand& x2);
KerasTensor divide(const Operand& x1, const Operand& x2);
KerasTensor true_divide(const Operand& x1, const Operand& x2);
KerasTensor divide_no_nan(const Operand& x1, const Operand& x2);  // 0 where x2 is
KerasTensor floor_divide(const Operand& x1, const Operand& x2);
KerasTensor mod(const Operand& x1, const Operand& x2);  // of x2's sign
KerasTensor power(const Operand& x1, const Operand& x2);
KerasTensor maximum(const Operand& x1, const Operand& x2);
KerasTensor minimum(const Operand& x1, const Operand& x2);
KerasTensor logaddexp(const Operand& x1, const Operand& x2);
KerasTensor equal(const Operand& x1, const Operand& x2);
KerasTensor not_equal(const Operand& x1, const Operand& x2);
KerasTensor less(const Operand& x1, const Operand& x2);
KerasTensor less_equal(const Operand& x1, const Operand& x2);
KerasTensor greater(const Operand& x1, const Operand& x2);
KerasTensor greater_equal(const Operand& x1, const Operand& x2);
KerasTensor logical_and(const Operand& x1, const Operand& x2);
KerasTensor logical_or(const Operand& x1, const Operand& x2);
KerasTensor logical_xor(const Operand& x1, const Operand& x2);
KerasTensor logical_not(const KerasTensor& x);
KerasTensor where(const KerasTensor& condition, const Operand& x1, const Operand& x2);

// ----------------------------------------------------------------------------------------- element by element

KerasTensor abs(const KerasTensor& x);
KerasTensor absolute(const KerasTensor& x);
KerasTensor negative(const KerasTensor& x);
KerasTensor sign(const KerasTensor& x);
KerasTensor square(const KerasTensor& x);
KerasTensor sqrt(const KerasTensor& x);
KerasTensor rsqrt(const KerasTensor& x);
KerasTensor reciprocal(const KerasTensor& x);
KerasTensor exp(const KerasTensor& x);
KerasTensor exp2(const KerasTensor& x);
KerasTensor expm1(const KerasTensor& x);
KerasTensor log(const KerasTensor& x);
KerasTensor log1p(const KerasTensor& x);
KerasTensor log2(const KerasTensor& x);
KerasTensor log10(const KerasTensor& x);
KerasTensor sin(const KerasTensor& x);
KerasTensor cos(const KerasTensor& x);
KerasTensor tan(const KerasTensor& x);
KerasTensor sinh(const KerasTensor& x);
KerasTensor cosh(const KerasTensor& x);
KerasTensor erf(const KerasTensor& x);
KerasTensor floor(const KerasTensor& x);  // this, ceil, round (halves to the even one) and trunc have no gradient
KerasTensor ceil(const KerasTensor& x);
KerasTensor round(const KerasTensor& x);
KerasTensor trunc(const KerasTensor& x);
KerasTensor isnan(const KerasTensor& x);
KerasTensor isinf(const KerasTensor& x);
KerasTensor isfinite(const KerasTensor& x);
KerasTensor clip(const KerasTensor& x, float x_min, float x_max);
// "float32", "int32", "int64" (whole numbers, towards zero), "bool" (1 where x is not 0).
KerasTensor cast(const KerasTensor& x, const std::string& dtype);
KerasTensor stop_gradient(const KerasTensor& x);

// ------------------------------------------------------------------------------------------------- activations

KerasTensor relu(const KerasTensor& x);
KerasTensor relu6(const KerasTensor& x);
KerasTensor leaky_relu(const KerasTensor& x, float negative_slope = 0.2f);
KerasTensor sigmoid(const KerasTensor& x);
KerasTensor log_sigmoid(const KerasTensor& x);
KerasTensor hard_sigmoid(const KerasTensor& x);
KerasTensor silu(const KerasTensor& x);
KerasTensor swish(const KerasTensor& x);
KerasTensor hard_silu(const KerasTensor& x);
KerasTensor hard_swish(const KerasTensor& x);
KerasTensor tanh(const KerasTensor& x);
KerasTensor hard_tanh(const KerasTensor& x);
KerasTensor tanh_shrink(const KerasTensor& x);
KerasTensor elu(const KerasTensor& x, float alpha = 1);
KerasTensor celu(const KerasTensor& x, float alpha = 1);
KerasTensor selu(const KerasTensor& x);
KerasTensor gelu(const KerasTensor& x, bool approximate = true);
KerasTensor softplus(const KerasTensor& x);
KerasTensor softsign(const KerasTensor& x);
KerasTensor squareplus(const KerasTensor& x, float b = 4);
KerasTensor softmax(const KerasTensor& x, int64_t axis = -1);
KerasTensor log_softmax(const KerasTensor& x, int64_t axis = -1);

// -------------------------------------------------------------------------------------------------- reductions

KerasTensor sum(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor mean(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor max(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor min(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor amax(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor amin(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor var(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor std(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor any(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor all(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor count_nonzero(const KerasTensor& x, const Axes& axis = {});
KerasTensor logsumexp(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);
KerasTensor norm(const KerasTensor& x, const Axes& axis = {}, bool keepdims = false);  // Euclidean
KerasTensor normalize(const KerasTensor& x, int64_t axis = -1);                        // x / max(norm, 1e-7)
std::pair<KerasTensor, KerasTensor> moments(const KerasTensor& x, const Axes& axes, bool keepdims = false);
KerasTensor argmax(const KerasTensor& x, int64_t axis, bool keepdims = false);  // the first one; no gradient
KerasTensor argmin(const KerasTensor& x, int64_t axis, bool keepdims = false);
KerasTensor cumsum(const KerasTensor& x, int64_t axis);

// ------------------------------------------------------------------------------------------------- arrangement

// One dimension may be -1; so may the batch, which then stays: {-1, 4, 8} of a value of (None, 32). With two of -1 the
// first one is the batch: {-1, -1}.
KerasTensor reshape(const KerasTensor& x, const std::vector<int64_t>& newshape);
KerasTensor transpose(const KerasTensor& x, std::vector<int64_t> axes = {});  // none: reversed
KerasTensor moveaxis(const KerasTensor& x, int64_t source, int64_t destination);
KerasTensor swapaxes(const KerasTensor& x, int64_t axis1, int64_t axis2);
KerasTensor expand_dims(const KerasTensor& x, int64_t axis);
KerasTensor squeeze(const KerasTensor& x, const Axes& axis = {});
KerasTensor concatenate(const std::vector<KerasTensor>& xs, int64_t axis = -1);
KerasTensor stack(const std::vector<KerasTensor>& x, int64_t axis = 0);
std::vector<KerasTensor> split(const KerasTensor& x, int64_t sections, int64_t axis = 0);
std::vector<KerasTensor> split(const KerasTensor& x, const std::vector<int64_t>& indices, int64_t axis = 0);
std::vector<KerasTensor> unstack(const KerasTensor& x, int64_t axis = 0);
// Along one axis: elements start, start + step, … before stop. get_item(x, 1, 0, 5) is x[:, 0:5].
KerasTensor get_item(const KerasTensor& x, int64_t axis, int64_t start, int64_t stop, int64_t step = 1);
KerasTensor flip(const KerasTensor& x, const Axes& axis = {});
KerasTensor roll(const KerasTensor& x, int64_t shift, int64_t axis);
KerasTensor pad(const KerasTensor& x, const std::vector<std::pair<int64_t, int64_t>>& pad_width);  // zeros
KerasTensor tile(const KerasTensor& x, const std::vector<int64_t>& repeats);
KerasTensor repeat(const KerasTensor& x, int64_t repeats, int64_t axis);
KerasTensor broadcast_to(const KerasTensor& x, const std::vector<int64_t>& shape);  // -1: as x's there

// ------------------------------------------------------------------------------- matrices, rows and numbers of them

KerasTensor matmul(const KerasTensor& x1, const KerasTensor& x2);
KerasTensor dot(const KerasTensor& x1, const KerasTensor& x2);
KerasTensor tensordot(const KerasTensor& x1, const KerasTensor& x2, int64_t axes = 2);
// "bhqd,bhkd->bhqk" of one or two operands; a letter may be summed over, none may stand twice in one operand.
KerasTensor einsum(const std::string& subscripts, const std::vector<KerasTensor>& operands);
// Rows of x by their number, along one axis. Numbers outside give zeros.
KerasTensor take(const KerasTensor& x, const KerasTensor& indices, int64_t axis = 0);
KerasTensor one_hot(const KerasTensor& x, int64_t num_classes, int64_t axis = -1);

// --------------------------------------------------------------------------------------------------- constants

KerasTensor convert_to_tensor(const Tensor& x);
KerasTensor full(const std::vector<int64_t>& shape, float fill_value);
KerasTensor zeros(const std::vector<int64_t>& shape);
KerasTensor ones(const std::vector<int64_t>& shape);
KerasTensor arange(int64_t stop);
KerasTensor arange(int64_t start, int64_t stop, int64_t step = 1);
KerasTensor eye(int64_t n);
KerasTensor tri(int64_t n, int64_t m, int64_t k = 0);  // 1 at and below the k-th diagonal
KerasTensor zeros_like(const KerasTensor& x);
KerasTensor ones_like(const KerasTensor& x);
KerasTensor full_like(const KerasTensor& x, float fill_value);

// ------------------------------------------------------------------------------------------------------ losses

// One number a place, along the last axis where there are classes.
KerasTensor binary_crossentropy(const KerasTensor& target, const KerasTensor& output, bool from_logits = false);
KerasTensor categorical_crossentropy(const KerasTensor& target, const KerasTensor& output, bool from_logits = false);
KerasTensor sparse_categorical_crossentropy(const KerasTensor& target, const KerasTensor& output,
                                            bool from_logits = false);

}  // namespace ops
}  // namespace headrace::keras
