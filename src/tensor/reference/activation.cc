// Element-wise activations and softmax, with their derivatives.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {
namespace {

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
// Distribution and density of the standard normal: gelu(x) = x * NormalCdf(x), the exact form.
double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }
double NormalPdf(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi); }

double Value(Activation activation, double x) {
  switch (activation) {
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kElu:
      return x > 0 ? x : std::expm1(x);
    case Activation::kGelu:
      return x * NormalCdf(x);
    case Activation::kSwish:
      return x * Sigmoid(x);
    default:
      return x;
  }
}

// The derivative at x, from the output y where that is what a back end keeps.
double Derivative(Activation activation, double x, double y) {
  switch (activation) {
    case Activation::kRelu:
      return y > 0 ? 1 : 0;
    case Activation::kSigmoid:
      return y * (1 - y);
    case Activation::kTanh:
      return 1 - y * y;
    case Activation::kElu:
      return y > 0 ? 1 : y + 1;
    case Activation::kGelu:
      return NormalCdf(x) + x * NormalPdf(x);
    case Activation::kSwish:
      return Sigmoid(x) * (1 + x * (1 - Sigmoid(x)));
    default:
      return 1;
  }
}

void SoftmaxRow(int64_t c, DType dtype, const void* x, void* y, int64_t first) {
  double largest = Read(x, dtype, first);
  for (int64_t i = 1; i < c; ++i) largest = std::max(largest, Read(x, dtype, first + i));
  double sum = 0;
  for (int64_t i = 0; i < c; ++i) sum += std::exp(Read(x, dtype, first + i) - largest);
  for (int64_t i = 0; i < c; ++i) Write(y, dtype, first + i, std::exp(Read(x, dtype, first + i) - largest) / sum);
}

void SoftmaxRowBackward(int64_t c, DType dtype, const void* y, const void* dy, void* dx, int64_t first) {
  double dot = 0;
  for (int64_t i = 0; i < c; ++i) dot += Read(y, dtype, first + i) * Read(dy, dtype, first + i);
  for (int64_t i = 0; i < c; ++i) {
    Write(dx, dtype, first + i, Read(y, dtype, first + i) * (Read(dy, dtype, first + i) - dot));
  }
}

}  // namespace

void ReferenceBackend::ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                                         void* y) const {
  if (activation == Activation::kSoftmax) {
    for (int64_t r = 0; r < rows; ++r) SoftmaxRow(c, dtype, x, y, r * c);
    return;
  }
  for (int64_t i = 0; i < rows * c; ++i) Write(y, dtype, i, Value(activation, Read(x, dtype, i)));
}

void ReferenceBackend::ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                                          const void* y, const void* dy, void* dx) const {
  if (activation == Activation::kSoftmax) {
    for (int64_t r = 0; r < rows; ++r) SoftmaxRowBackward(c, dtype, y, dy, dx, r * c);
    return;
  }
  const bool from_input = activation == Activation::kGelu || activation == Activation::kSwish;
  const bool from_output = !from_input && activation != Activation::kLinear;
  for (int64_t i = 0; i < rows * c; ++i) {
    const double slope =
        Derivative(activation, from_input ? Read(x, dtype, i) : 0, from_output ? Read(y, dtype, i) : 0);
    Write(dx, dtype, i, Read(dy, dtype, i) * slope);
  }
}

}  // namespace headrace::tensor::reference
