#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "keras/initializer_state.h"
#include "keras/layer_state.h"
#include "keras/layers/config.h"
#include "keras/philox.h"

namespace headrace::keras::internal {
namespace {

Tensor Drawn(const Initializer& initializer, Shape shape, uint64_t seed = 1, uint64_t stream = 0) {
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

// Keras's own tests look at the same: deviations of large samples, and limits.
TEST(Initializers, TakeTheirOptions) {
  const Shape shape{200, 300};
  const auto expect = [&](const Initializer& initializer, double mean, double stddev) {
    const Sample sample = SampleOf(Drawn(initializer, shape));
    EXPECT_NEAR(sample.mean, mean, 0.02 * std::max(stddev, 0.001));
    EXPECT_NEAR(sample.stddev, stddev, 0.02 * stddev);
    return sample.largest;
  };
  expect(RandomNormal({.mean = 3, .stddev = 2}), 3, 2);
  EXPECT_LE(expect(TruncatedNormal({.stddev = 2}), 0, 2 * 0.87962566103423978), 4);
  EXPECT_LE(expect(RandomUniform({.minval = -1, .maxval = 3}), 1, 4 / std::sqrt(12.0)), 3);
  expect(VarianceScaling(), 0, std::sqrt(1 / 200.0));
  expect(VarianceScaling({.scale = 3, .mode = "fan_out", .distribution = "untruncated_normal"}), 0,
         std::sqrt(3 / 300.0));
  EXPECT_LE(
      expect(VarianceScaling({.scale = 2, .mode = "fan_avg", .distribution = "uniform"}), 0, std::sqrt(2 / 250.0)),
      std::sqrt(3 * 2 / 250.0) * 1.000001);
  EXPECT_EQ(Drawn(Constant(2.5), {2}).data<float>()[1], 2.5f);
  EXPECT_TRUE(Same(Drawn(HeNormal(), shape), Drawn("he_normal", shape)));
}

TEST(Initializers, ASeedOfItsOwnTakesThePlaceOfTheModels) {
  const GlorotUniform seeded({.seed = 7});
  EXPECT_TRUE(Same(Drawn(seeded, {3, 4}, 1, 2), Drawn(seeded, {3, 4}, 5, 6)));
  EXPECT_FALSE(Same(Drawn(GlorotUniform({.seed = 8}), {3, 4}), Drawn(seeded, {3, 4})));
  EXPECT_FALSE(Same(Drawn(GlorotUniform(), {3, 4}, 1, 2), Drawn(GlorotUniform(), {3, 4}, 1, 3)));
}

// The product of a matrix's rows, or columns, with each other.
double FarthestFromOrthogonal(const Tensor& value, int64_t rows, int64_t columns, double gain) {
  const bool by_rows = rows < columns;
  const int64_t few = std::min(rows, columns), many = std::max(rows, columns);
  const auto at = [&](int64_t i, int64_t k) {
    return value.data<float>()[by_rows ? i * columns + k : k * columns + i];
  };
  double worst = 0;
  for (int64_t a = 0; a < few; ++a)
    for (int64_t b = 0; b < few; ++b) {
      double product = 0;
      for (int64_t k = 0; k < many; ++k) product += static_cast<double>(at(a, k)) * at(b, k);
      worst = std::max(worst, std::abs(product - (a == b ? gain * gain : 0)));
    }
  return worst;
}

TEST(Initializers, OrthogonalIs) {
  EXPECT_LT(FarthestFromOrthogonal(Drawn(Orthogonal(), {40, 40}), 40, 40, 1), 1e-6);
  EXPECT_LT(FarthestFromOrthogonal(Drawn(Orthogonal({.gain = 2}), {50, 20}), 50, 20, 2), 4e-6);
  EXPECT_LT(FarthestFromOrthogonal(Drawn("orthogonal", {20, 50}), 20, 50, 1), 1e-6);
  EXPECT_LT(FarthestFromOrthogonal(Drawn("orthogonal", {3, 3, 2, 8}), 18, 8, 1), 1e-6);
  EXPECT_LT(std::abs(SampleOf(Drawn("orthogonal", {60, 60})).mean), 0.01) << "no direction is preferred";
  EXPECT_THROW(Drawn("orthogonal", {5}), Error);
}

TEST(Initializers, IdentityHasADiagonal) {
  const Tensor value = Drawn(IdentityInitializer(2), {2, 3});
  EXPECT_EQ((std::vector<float>(value.data<float>(), value.data<float>() + 6)), (std::vector<float>{2, 0, 0, 0, 2, 0}));
  EXPECT_THROW(Drawn("identity", {2, 2, 2}), Error);
}

TEST(Initializers, OfTheUsersOwn) {
  const Initializer own([](Tensor& weight) { std::fill_n(weight.data<float>(), weight.size(), 4.0f); });
  const Sequential model({Dense(2, {.kernel_initializer = own, .bias_initializer = Constant(3), .input_shape = {2}})});
  EXPECT_EQ(model.weights()[0]->value.data<float>()[3], 4);
  EXPECT_EQ(model.weights()[1]->value.data<float>()[1], 3);
}

TEST(Initializers, ComeBackFromTheirConfiguration) {
  for (const Initializer& initializer :
       {Initializer("lecun_normal"), Initializer(Constant(2)), Initializer(RandomUniform({.minval = -1, .seed = 3})),
        Initializer(RandomNormal({.mean = 1})), Initializer(TruncatedNormal({.stddev = 2})),
        Initializer(VarianceScaling({.scale = 2, .mode = "fan_out"})), Initializer(Orthogonal({.gain = 2})),
        Initializer(IdentityInitializer(3)), Initializer("zeros")}) {
    const auto json = InitializerConfig(initializer);
    const auto read = InitializerFromJson(json);
    ASSERT_TRUE(read) << json;
    EXPECT_EQ(InitializerConfig(*read), json);
    EXPECT_TRUE(Same(Drawn(*read, {4, 4}), Drawn(initializer, {4, 4}))) << json;
  }
  EXPECT_FALSE(InitializerFromJson({{"class_name", "STFT"}}));
}

TEST(Initializers, SayWhatIsWrong) {
  EXPECT_THROW(VarianceScaling({.scale = 0}), Error);
  EXPECT_THROW(VarianceScaling({.mode = "fan"}), Error);
  EXPECT_THROW(VarianceScaling({.distribution = "cauchy"}), Error);
  EXPECT_THROW(RandomUniform({.minval = 1, .maxval = 0}), Error);
  EXPECT_THROW(RandomNormal({.stddev = -1}), Error);
  EXPECT_THROW(Initializer(std::function<void(Tensor&)>()), Error);
  EXPECT_THROW(Drawn(Initializer([](Tensor& weight) { weight = Tensor(DType::kFloat32, {3}); }), {2}), Error);
}

}  // namespace
}  // namespace headrace::keras::internal
