#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "keras/constraint_state.h"

namespace headrace::keras {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

std::string MisuseOfConstraint(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

std::vector<float> Constrained(const Constraint& constraint, std::vector<float> values, Shape shape) {
  Tensor weight(DType::kFloat32, std::move(shape));
  std::copy(values.begin(), values.end(), weight.data<float>());
  constraint(weight);
  return {weight.data<float>(), weight.data<float>() + weight.size()};
}

TEST(Constraints, KnownAnswers) {
  const std::vector<float> w = {3, 0.1f, 4, -0.2f};  // columns (3, 4) of norm 5 and (0.1, -0.2)
  const auto near = [](std::vector<float> wanted) {
    std::vector<::testing::Matcher<float>> all;
    for (const float value : wanted) all.push_back(FloatNear(value, 1e-6f));
    return ::testing::ElementsAreArray(all);
  };
  EXPECT_THAT(Constrained(MaxNorm(), w, {2, 2}), near({1.2f, 0.1f, 1.6f, -0.2f}));
  EXPECT_THAT(Constrained(MaxNorm({.max_value = 1, .axis = {1}}), w, {2, 2}),
              near({0.999445f, 0.0333148f, 0.998752f, -0.0499376f}));
  EXPECT_THAT(Constrained(MaxNorm({.axis = {-2}}), w, {2, 2}), near({1.2f, 0.1f, 1.6f, -0.2f}));
  EXPECT_THAT(Constrained(UnitNorm(), w, {2, 2}), near({0.6f, 0.447213f, 0.8f, -0.894427f}));
  EXPECT_THAT(Constrained(UnitNorm({.axis = {0, 1}}), {3, 0, 0, 4}, {2, 2}), near({0.6f, 0, 0, 0.8f}));
  EXPECT_THAT(Constrained(NonNeg(), w, {4}), near({3, 0.1f, 4, 0}));
  EXPECT_THAT(Constrained(MinMaxNorm({.min_value = 1, .max_value = 2, .rate = 0.5}), {3, 0, 4, 0.5f}, {2, 2}),
              near({2.1f, 0, 2.8f, 0.75f}));
  EXPECT_THAT(Constrained("max_norm", {0, 0}, {2}), ElementsAre(0, 0));
  EXPECT_THAT(Constrained(Constraint([](Tensor& weight) { weight.data<float>()[0] = 7; }), {1, 2}, {2}),
              ElementsAre(7, 2));
  EXPECT_FALSE(Constraint());
  const Constraint replaces([](Tensor& weight) { weight = Tensor::Zeros(DType::kFloat32, weight.shape()); });
  EXPECT_THAT(Constrained(replaces, {1, 2}, {2}), ElementsAre(0, 0));
}

TEST(Constraints, HoldBehindEveryStep) {
  Sequential model(
      {Dense(3, {.kernel_constraint = MaxNorm({.max_value = 0.1}), .bias_constraint = "non_neg", .input_shape = {4}})},
      {.seed = 1});
  model.compile(SGD({.learning_rate = 0.5}), "mae");
  const Tensor x = Tensor::Zeros(DType::kFloat32, {2, 4});
  Tensor y = Tensor::Zeros(DType::kFloat32, {2, 3});
  std::fill_n(y.data<float>(), y.size(), -10.0f);  // pulls the biases below zero
  for (int step = 0; step < 3; ++step) {
    model.train_on_batch(x, y);
    const Tensor &kernel = model.weights()[0]->value, &bias = model.weights()[1]->value;
    for (int64_t unit = 0; unit < 3; ++unit) {
      double norm = 0;
      for (int64_t i = 0; i < 4; ++i) norm += kernel.data<float>()[i * 3 + unit] * kernel.data<float>()[i * 3 + unit];
      EXPECT_LE(norm, 0.1 * 0.1 * 1.000001);
      EXPECT_EQ(bias.data<float>()[unit], 0);
    }
  }
}

// The weights of a compiled model lie in one buffer, which a tensor in a weight's place would not be a part of.
TEST(Constraints, OfTheUsersOwnKeepTheWeightsPlace) {
  const Constraint half([](Tensor& weight) {
    Tensor other = weight.Clone();
    for (int64_t i = 0; i < other.size(); ++i) other.data<float>()[i] /= 2;
    weight = other;
  });
  Sequential model({Dense(1, {.bias_constraint = half, .input_shape = {1}})}, {.seed = 1});
  model.compile(SGD({.learning_rate = 1}), "mae");
  const Tensor x = Tensor::Zeros(DType::kFloat32, {1, 1});
  Tensor y = Tensor::Zeros(DType::kFloat32, {1, 1});
  y.data<float>()[0] = 10;
  std::vector<float> biases;
  for (int step = 0; step < 3; ++step) {
    model.train_on_batch(x, y);
    biases.push_back(model.predict(x).data<float>()[0]);
  }
  EXPECT_THAT(biases, ElementsAre(0.5f, 0.75f, 0.875f));
}

TEST(Constraints, ComeBackFromTheirConfiguration) {
  for (const Constraint& constraint :
       {Constraint(MaxNorm({.max_value = 3, .axis = {0, 1}})), Constraint(MinMaxNorm({.min_value = 0.5, .rate = 0.25})),
        Constraint(NonNeg()), Constraint(UnitNorm({.axis = {1}})), Constraint()}) {
    const auto json = internal::ConstraintConfig(constraint);
    EXPECT_EQ(internal::ConstraintConfig(internal::ConstraintFromJson("dense", json)), json);
  }
}

TEST(Constraints, SayWhatIsWrong) {
  EXPECT_THAT(MisuseOfConstraint([] { Constraint("min_norm"); }),
              HasSubstr("constraint: found \"min_norm\", wanted max_norm"));
  EXPECT_THAT(MisuseOfConstraint([] {
                Constrained(Constraint([](Tensor& weight) { weight = Tensor(DType::kFloat32, {3}); }), {1, 2}, {2});
              }),
              HasSubstr("wanted a float32 tensor of the weight's shape (2"));
  EXPECT_THAT(MisuseOfConstraint([] { MaxNorm({.max_value = -1}); }), HasSubstr("MaxNorm: found bounds 0 and -1"));
  EXPECT_THAT(MisuseOfConstraint([] { MinMaxNorm({.min_value = 2}); }), HasSubstr("MinMaxNorm: found bounds 2 and 1"));
  EXPECT_THAT(MisuseOfConstraint([] { MinMaxNorm({.rate = 2}); }), HasSubstr("MinMaxNorm: rate: found 2"));
  EXPECT_THAT(MisuseOfConstraint([] {
                Constrained(UnitNorm({.axis = {2}}), {1, 2}, {2, 1});
              }),
              HasSubstr("UnitNorm: axis: found 2 for a weight of shape"));
  EXPECT_THAT(MisuseOfConstraint([] {
                internal::ConstraintFromJson("dense: kernel_constraint", {{"class_name", "RadialConstraint"}});
              }),
              HasSubstr("dense: kernel_constraint: found RadialConstraint"));
}

}  // namespace
}  // namespace headrace::keras
