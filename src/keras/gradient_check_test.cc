// The gradients of whole small models against central differences of their loss: one line declares a layer under test.
// A convolution in front of it has weights of its own, so that the gradient a layer hands back is checked as well.
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <omp.h>

#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/model_state.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using tensor::testing::RandomTensor;

constexpr int64_t kRows = 4, kClasses = 3;

struct Case {
  const char* name;
  std::function<std::vector<Layer>()> layers;  // on [n, 6, 5, 3]
};
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

  constexpr float kStep = 1e-3f;
  for (size_t i = 0; i < variables.size(); ++i) {
    for (int64_t element = 0; element < gradients[i].size(); ++element) {
      float& value = variables[i]->value.data<float>()[element];
      const float middle = value;
      value = middle + kStep;
      const double high = loss();
      value = middle - kStep;
      const double low = loss();
      value = middle;
      ASSERT_NEAR(gradients[i].data<float>()[element], (high - low) / (2 * kStep), 2e-3 * largest)
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

}  // namespace
}  // namespace headrace::keras
