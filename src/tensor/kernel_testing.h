// What the tests of kernels share: random tensors, comparison within a tolerance, numeric gradients.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "headrace/tensor.h"

namespace headrace::tensor::testing {

// Normally distributed, the same for the same seed.
inline Tensor RandomTensor(DType dtype, Shape shape, uint32_t seed, float mean = 0, float deviation = 1) {
  Tensor tensor(DType::kFloat32, shape);
  std::mt19937 engine(seed);
  std::normal_distribution<float> draw(mean, deviation);
  std::generate_n(tensor.data<float>(), tensor.size(), [&] { return draw(engine); });
  return tensor.Cast(dtype);
}

// Values at least `spacing` apart and half of it from zero, in random order: no ties, and nothing near a kink.
inline Tensor SpacedTensor(Shape shape, uint32_t seed, float spacing) {
  Tensor tensor(DType::kFloat32, shape);
  float* values = tensor.data<float>();
  for (int64_t i = 0; i < tensor.size(); ++i) {
    values[i] = (static_cast<float>(i - tensor.size() / 2) + 0.5f) * spacing;
  }
  std::shuffle(values, values + tensor.size(), std::mt19937(seed));
  return tensor;
}

struct Tolerance {
  double relative;
  double absolute;
};
// Two results that were rounded to `dtype`: a bfloat16 may fall to either side of a tie, one unit (2^-8) apart.
inline Tolerance ToleranceOf(DType dtype, double float32_relative = 2e-6, double float32_absolute = 2e-6) {
  if (dtype == DType::kBFloat16) return {1.0 / 128, 1e-5 + float32_absolute};
  return {float32_relative, float32_absolute};
}

inline void ExpectClose(const Tensor& found, const Tensor& wanted, Tolerance tolerance, const char* what) {
  ASSERT_EQ(found.shape(), wanted.shape()) << what;
  const Tensor a = found.Cast(DType::kFloat32);
  const Tensor b = wanted.Cast(DType::kFloat32);
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.data<float>()[i];
    const double y = b.data<float>()[i];
    ASSERT_LE(std::abs(x - y), tolerance.absolute + tolerance.relative * std::abs(y))
        << what << ", element " << i << ": found " << x << ", wanted " << y;
  }
}

inline void ExpectSameBits(const Tensor& a, const Tensor& b, const char* what) {
  ASSERT_EQ(a.bytes(), b.bytes()) << what;
  EXPECT_EQ(std::memcmp(a.raw(), b.raw(), a.bytes()), 0) << what;
}

// The slope of loss() by `value`, which loss() reads.
template <typename Loss>
double CentralDifference(float& value, const Loss& loss, double step) {
  const float middle = value;
  value = static_cast<float>(middle + step);
  const double high_x = value, high = loss();
  value = static_cast<float>(middle - step);
  const double low_x = value, low = loss();
  value = middle;
  return (high - low) / (high_x - low_x);
}

// `gradient` against central differences of loss() by each element of `x` (float32), which loss() reads.
template <typename Loss>
void ExpectGradient(Tensor x, const Tensor& gradient, const Loss& loss, double step, double tolerance,
                    const char* what) {
  double largest = 1e-3;
  for (int64_t i = 0; i < gradient.size(); ++i) {
    largest = std::max<double>(largest, std::abs(gradient.data<float>()[i]));
  }
  for (int64_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(gradient.data<float>()[i], CentralDifference(x.data<float>()[i], loss, step), tolerance * largest)
        << what << ", element " << i;
  }
}

// sum of a * b: the loss whose gradient by b is a.
inline double Dot(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a.data<float>()[i]) * b.data<float>()[i];
  return sum;
}

}  // namespace headrace::tensor::testing
