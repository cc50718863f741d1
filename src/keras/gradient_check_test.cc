// The gradients of whole small models against central differences of their loss: one line declares a layer under test.
// A convolution in front of it has weights of its own, so that the gradient a layer hands back is checked as well.
#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <omp.h>

#include "headrace/keras.h"
#include "headrace/ops.h"

#include "keras/engine.h"
#include "keras/model_state.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using tensor::testing::CentralDifference;
using tensor::testing::RandomTensor;

constexpr int64_t kRows = 4, kClasses = 3;

struct Case {
  const char* name;
  std::function<std::vector<Layer>()> layers;  // on [n, 6, 5, 3]
};
// The values of the layer in front in another shape.
Layer Reshaped(const Shape& shape) {
  return Lambda([shape](const KerasTensor& x) { return ops::reshape(x, shape.dims()); });
}

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> Cases() {
  std::vector<Case> cases = {
      {"Conv2DValid",
       [] {
         return std::vector<Layer>{Conv2D(4, {3, 2})};
       }},
      {"Conv2DSame",
       [] {
         return std::vector<Layer>{Conv2D(4, {3, 3}, {.padding = "same"})};
       }},
      {"Conv2DStrided",
       [] {
         return std::vector<Layer>{Conv2D(4, {3, 3}, {.strides = {2, 1}, .padding = "same"})};
       }},
      {"Conv2DDilated",
       [] {
         return std::vector<Layer>{Conv2D(2, {3, 2}, {.dilation_rate = {2, 2}})};
       }},
      {"Conv2DWithoutBias",
       [] {
         return std::vector<Layer>{Conv2D(4, {1, 1}, {.use_bias = false})};
       }},
      {"Dense",
       [] {
         return std::vector<Layer>{Flatten(), Dense(6)};
       }},
      {"DenseWithoutBias",
       [] {
         return std::vector<Layer>{Flatten(), Dense(6, {.use_bias = false})};
       }},
      {"BatchNormalization", [] { return std::vector<Layer>{BatchNormalization()}; }},
      {"BatchNormalizationOfRows",
       [] {
         return std::vector<Layer>{Flatten(), Dense(5), BatchNormalization()};
       }},
      {"BatchNormalizationReluConv2D",
       [] {
         return std::vector<Layer>{BatchNormalization(), Activation("relu"), Conv2D(3, {3, 3})};
       }},
      {"BatchNormalizationReluPoolDropout",
       [] {
         return std::vector<Layer>{BatchNormalization(), Activation("relu"), MaxPooling2D(), Dropout(0.3f)};
       }},
      {"MaxPooling2D",
       [] {
         return std::vector<Layer>{MaxPooling2D({3, 2})};
       }},
      {"MaxPooling2DOverlapping",
       [] {
         return std::vector<Layer>{MaxPooling2D({3, 3}, {.strides = {2, 1}, .padding = "same"})};
       }},
      {"GlobalAveragePooling2D", [] { return std::vector<Layer>{GlobalAveragePooling2D()}; }},
      {"Dropout", [] { return std::vector<Layer>{Dropout(0.4f)}; }},
      {"Flatten", [] { return std::vector<Layer>{Flatten()}; }},
      {"ZeroPadding2D",
       [] {
         return std::vector<Layer>{ZeroPadding2D({{{1, 0}, {2, 1}}}), Conv2D(2, {3, 3})};
       }},
      {"BatchNormalizationOfReshapedConv2D",
       [] {
         return std::vector<Layer>{Reshaped({-1, 6, 3, 5}), BatchNormalization()};
       }},
      {"BatchNormalizationReluReshapedConv2D",
       [] {
         return std::vector<Layer>{BatchNormalization(), Activation("relu"), Reshaped({-1, 6, 3, 5}),
                                   Conv2D(2, {3, 2})};
       }},
  };
  for (const char* name : {"linear", "relu", "sigmoid", "tanh", "elu", "gelu", "swish", "softmax"})
    cases.push_back({name, [name] { return std::vector<Layer>{Activation(name)}; }});
  return cases;
}

// Convolution, the layers under test, scores; `join` adds the convolution's output to that of the layers.
Model MakeModel(const std::vector<Layer>& layers, bool join) {
  const KerasTensor image = Input({6, 5, 2});
  const KerasTensor first = Conv2D(3, {1, 1})(image);
  KerasTensor value = first;
  for (const Layer& layer : layers) value = layer(value);
  if (join) value = Add()({value, first});
  if (value.shape().rank() > 2) value = Flatten()(value);
  Model model(image, Dense(kClasses, {.activation = "softmax"})(value), {.seed = 3});
  model.compile(SGD({.learning_rate = 0}), "categorical_crossentropy", {}, {.conv_algorithms = "direct"});
  return model;
}

// Weights that hide nothing: no bias of zero, no scale of one.
void Shake(Model& model) {
  uint32_t seed = 10;
  for (const auto& variable : model.weights()) {
    const Tensor noise = RandomTensor(DType::kFloat32, variable->value.shape(), ++seed, 0, 0.1f);
    for (int64_t i = 0; i < noise.size(); ++i) variable->value.data<float>()[i] += noise.data<float>()[i];
  }
}

void CheckGradients(Model model) {
  omp_set_num_threads(1);  // thousands of steps too small to share
  Shake(model);
  const Tensor x = RandomTensor(DType::kFloat32, {kRows, 6, 5, 2}, 1);
  Tensor y = Tensor::Zeros(DType::kFloat32, {kRows, kClasses});
  for (int64_t row = 0; row < kRows; ++row) y.data<float>()[row * kClasses + row % kClasses] = 1;

  internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
  const auto loss = [&] {
    model.state().compiled->optimizer.state()->iterations = 0;  // the same dropout masks every time
    return engine.TrainBatch(x, y).loss / kRows;
  };
  loss();
  const auto variables = model.state().TrainableWeights();
  std::vector<Tensor> gradients;
  for (size_t i = 0; i < variables.size(); ++i) gradients.push_back(engine.gradient(i).Clone());
  double largest = 0;
  for (const Tensor& gradient : gradients)
    for (int64_t i = 0; i < gradient.size(); ++i)
      largest = std::max<double>(largest, std::abs(gradient.data<float>()[i]));

  constexpr double kStep = 1e-3;
  for (size_t i = 0; i < variables.size(); ++i) {
    for (int64_t element = 0; element < gradients[i].size(); ++element) {
      const double slope = CentralDifference(variables[i]->value.data<float>()[element], loss, kStep);
      ASSERT_NEAR(gradients[i].data<float>()[element], slope, 2e-3 * largest)
          << variables[i]->name << ", element " << element;
    }
  }
}

class GradientCheck : public testing::TestWithParam<Case> {};

TEST_P(GradientCheck, AgreesWithDifferencesOfTheLoss) { CheckGradients(MakeModel(GetParam().layers(), false)); }

INSTANTIATE_TEST_SUITE_P(Layers, GradientCheck, testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(GradientCheck, OfTwoBranchesThatAreAdded) {
  CheckGradients(MakeModel({Conv2D(3, {3, 3}, {.padding = "same"}), Activation("tanh")}, true));
}

// A layer that is called `calls` times, one after the other, with an activation between; and, where `join`, on two
// branches that are added.
Model MakeShared(const Layer& shared, int calls, bool flat, bool join) {
  const KerasTensor image = Input({6, 5, 2});
  KerasTensor value = Conv2D(3, {1, 1})(image);
  if (flat) value = Dense(4)(Flatten()(value));
  const KerasTensor first = value;
  for (int call = 0; call < calls; ++call) value = Activation("tanh")(shared(value));
  if (join) value = Add()({value, shared(first)});
  if (value.shape().rank() > 2) value = Flatten()(value);
  Model model(image, Dense(kClasses, {.activation = "softmax"})(value), {.seed = 3});
  model.compile(SGD({.learning_rate = 0}), "categorical_crossentropy", {}, {.conv_algorithms = "direct"});
  return model;
}

TEST(GradientCheck, OfLayersThatAreCalledMoreThanOnce) {
  for (const int calls : {2, 3})
    for (const bool join : {false, true}) {
      CheckGradients(MakeShared(Conv2D(3, {3, 3}, {.padding = "same"}), calls, false, join));
      CheckGradients(MakeShared(Conv2D(3, {1, 1}, {.use_bias = false}), calls, false, join));
      CheckGradients(MakeShared(Dense(4), calls, true, join));
      CheckGradients(MakeShared(Dense(4, {.use_bias = false}), calls, true, join));
      CheckGradients(MakeShared(BatchNormalization(), calls, false, join));
      CheckGradients(MakeShared(BatchNormalization(), calls, true, join));
    }
}

// Keras moves the statistics once a call, one after the other.
TEST(SharedLayer, BatchNormalizationMovesItsStatisticsAtEachCall) {
  const BatchNormalization norm({.momentum = 0.9f});
  const KerasTensor input = Input({1});
  Model model(input, Dense(2, {.activation = "softmax"})(norm(norm(input))), {.seed = 3});
  model.compile(SGD({.learning_rate = 0}), "categorical_crossentropy");
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 3}, {2, 1}),
               y = Tensor::FromVector(std::vector<float>{1, 0, 0, 1}, {2, 2});
  model.train_on_batch(x, y);
  // First call: mean 2, variance 1. Second: of -1 and 1, nearly: mean 0, variance 1 / (1 + epsilon).
  const auto weights = norm.weights();
  EXPECT_NEAR(weights[2]->value.data<float>()[0], 0.9 * (0.1 * 2) + 0.1 * 0, 1e-5);
  EXPECT_NEAR(weights[3]->value.data<float>()[0], 0.9 * (0.9 * 1 + 0.1 * 1) + 0.1 / 1.001, 1e-5);
}

TEST(SharedLayer, APointerIntoAWeightOutlivesTheFirstBatch) {
  Sequential model({Dense(3, {.activation = "softmax", .use_bias = false, .input_shape = {3}})}, {.seed = 1});
  model.compile(SGD({.learning_rate = 0}), "categorical_crossentropy");
  const float* kernel = model.weights()[0]->value.data<float>();
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 2, -1}, {1, 3}),
               y = Tensor::FromVector(std::vector<float>{1, 0, 0}, {1, 3});
  model.test_on_batch(x, y);
  model.train_on_batch(x, y);
  EXPECT_EQ(model.weights()[0]->value.data<float>(), kernel);
}

TEST(SharedLayer, TwoModelsTrainTheSameWeightsInTurns) {
  const Dense shared(3, {.use_bias = false});
  const auto make = [&](int64_t seed) {
    const KerasTensor input = Input({3});
    Model model(input, Activation("softmax")(shared(input)), {.seed = seed});
    model.compile(SGD({.learning_rate = 0.1f}), "categorical_crossentropy");
    return model;
  };
  Model a = make(1), b = make(2);
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 2, -1, 0.5f, -0.3f, 2}, {2, 3}),
               y = Tensor::FromVector(std::vector<float>{1, 0, 0, 0, 0, 1}, {2, 3});
  double last = a.test_on_batch(x, y).At("loss");
  for (int turn = 0; turn < 6; ++turn) {
    (turn % 2 == 0 ? a : b).train_on_batch(x, y);
    const double in_a = a.test_on_batch(x, y).At("loss"), in_b = b.test_on_batch(x, y).At("loss");
    EXPECT_EQ(in_a, in_b);
    EXPECT_LT(in_a, last) << "turn " << turn;
    last = in_a;
  }
}

}  // namespace
}  // namespace headrace::keras
