#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "keras/layer_state.h"
#include "keras/philox.h"

namespace headrace::keras::internal {
namespace {

Tensor Drawn(const std::string& initializer, Shape shape, uint64_t seed = 1, uint64_t stream = 0) {
  Tensor value(DType::kFloat32, std::move(shape));
  Initialize(initializer, seed, stream, value);
  return value;
}

struct Sample {
  double mean = 0, stddev = 0, largest = 0;
};
Sample SampleOf(const Tensor& value) {
  Sample sample;
  double squares = 0;
  for (int64_t i = 0; i < value.size(); ++i) {
    const double x = value.data<float>()[i];
    sample.mean += x / static_cast<double>(value.size());
    squares += x * x / static_cast<double>(value.size());
    sample.largest = std::max(sample.largest, std::abs(x));
  }
  sample.stddev = std::sqrt(squares - sample.mean * sample.mean);
  return sample;
}

bool Same(const Tensor& a, const Tensor& b) {
  return std::equal(a.data<float>(), a.data<float>() + a.size(), b.data<float>());
}

TEST(Philox, KnownAnswers) {  // of the authors' own test vectors
  EXPECT_EQ(Philox(0, {0, 0, 0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~uint64_t{0}, {~0u, ~0u, ~0u, ~0u}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

// Limits of docs/numerics.md, computed in float64.
TEST(Initializers, GlorotUniformLimits) {
  const struct {
    Shape shape;
    double limit;
  } cases[] = {
      {{3, 3, 3, 32}, 0.13801311186847084}, {{512, 512}, 0.07654655446197431}, {{512, 10}, 0.10721125348377948}};
  for (const auto& [shape, limit] : cases) {
    const Sample sample = SampleOf(Drawn("glorot_uniform", shape));
    EXPECT_LE(sample.largest, limit * 1.000001);
    EXPECT_GT(sample.largest, limit * 0.99);
    EXPECT_NEAR(sample.stddev, limit / std::sqrt(3.0), limit * 0.03);
  }
}

TEST(Initializers, NormalsAreCutOffAtTwoSigmaAndKeepTheirVariance) {
  const struct {
    const char* name;
    double variance;
  } cases[] = {{"glorot_normal", 2.0 / (300 + 200)}, {"he_normal", 2.0 / 300}, {"lecun_normal", 1.0 / 300}};
  for (const auto& [name, variance] : cases) {
    const Sample sample = SampleOf(Drawn(name, {300, 200}));
    EXPECT_NEAR(sample.mean, 0, 0.02 * std::sqrt(variance)) << name;
    EXPECT_NEAR(sample.stddev, std::sqrt(variance), 0.01 * std::sqrt(variance)) << name;
    EXPECT_LE(sample.largest, 2.0001 * std::sqrt(variance) / 0.87962566103423978) << name;
  }
}

TEST(Initializers, UniformLimits) {
  EXPECT_NEAR(SampleOf(Drawn("he_uniform", {300, 200})).largest, std::sqrt(6.0 / 300), 1e-4);
  EXPECT_NEAR(SampleOf(Drawn("lecun_uniform", {300, 200})).largest, std::sqrt(3.0 / 300), 1e-4);
  EXPECT_NEAR(SampleOf(Drawn("random_uniform", {300, 200})).largest, 0.05, 1e-4);
}

TEST(Initializers, RandomNormalIsNotCutOff) {
  const Sample sample = SampleOf(Drawn("random_normal", {300, 200}));
  EXPECT_NEAR(sample.stddev, 0.05, 0.0005);
  EXPECT_GT(sample.largest, 0.15);
}

TEST(Initializers, Constants) {
  EXPECT_EQ(SampleOf(Drawn("zeros", {5})).largest, 0);
  const Sample ones = SampleOf(Drawn("ones", {5}));
  EXPECT_DOUBLE_EQ(ones.mean, 1);
}

TEST(Initializers, SeedAndStreamDecide) {
  const Tensor value = Drawn("glorot_normal", {64, 64}, 7, 3);
  EXPECT_TRUE(Same(value, Drawn("glorot_normal", {64, 64}, 7, 3)));
  EXPECT_FALSE(Same(value, Drawn("glorot_normal", {64, 64}, 8, 3)));
  EXPECT_FALSE(Same(value, Drawn("glorot_normal", {64, 64}, 7, 4)));
}

TEST(Initializers, UnknownNamesListTheKnownOnes) {
  try {
    Drawn("glorrot", {2, 2});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(error.message().find("\"glorrot\", wanted one of glorot_uniform"), std::string::npos);
  }
}

}  // namespace
}  // namespace headrace::keras::internal
