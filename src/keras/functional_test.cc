// Models of several inputs and outputs: gradients, logs by output, files, and what is refused.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/model_state.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using tensor::testing::RandomTensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSamples = 6;

// Two inputs that are merged; two outputs, one of them from the first input alone.
Model TwoByTwo(int64_t seed = 3) {
  const KerasTensor left = Input({4}, "left"), right = Input({3}, "right");
  const KerasTensor a = Dense(3, {.activation = "tanh"})(left), b = Dense(3, {.activation = "tanh"})(right);
  const KerasTensor all = Concatenate()(
      {a, b, Multiply()({a, b}), Subtract()({a, b}), Average()({a, b}), Maximum()({a, b}), Minimum()({a, b})});
  return Model(std::vector<KerasTensor>{left, right},
               {Dense(1, {.name = "amount"})(all), Dense(2, {.activation = "softmax", .name = "kind"})(a)},
               {.seed = seed});
}

struct Samples {
  std::vector<Tensor> x = {RandomTensor(DType::kFloat32, {kSamples, 4}, 1),
                           RandomTensor(DType::kFloat32, {kSamples, 3}, 2)};
  std::vector<Tensor> y = {RandomTensor(DType::kFloat32, {kSamples}, 3), Tensor::Zeros(DType::kInt64, {kSamples})};
};

template <typename Function>
std::string Refusal(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(Functional, GradientsOfSeveralInputsAndOutputsAgreeWithDifferences) {
  Model model = TwoByTwo();
  model.compile(SGD({.learning_rate = 0}), {"mse", "sparse_categorical_crossentropy"}, {}, {.loss_weights = {1, 0.3f}});
  const Samples data;
  internal::Engine engine(model.state(), tensor::MakeReferenceBackend());
  const auto loss = [&] { return engine.TrainBatch({data.x, data.y, {}}).loss / kSamples; };
  loss();
  const auto variables = model.state().TrainableWeights();
  std::vector<Tensor> gradients;
  for (size_t i = 0; i < variables.size(); ++i) gradients.push_back(engine.gradient(i).Clone());
  for (size_t i = 0; i < variables.size(); ++i)
    for (int64_t k = 0; k < gradients[i].size(); ++k) {
      float& value = variables[i]->value.data<float>()[k];
      const float middle = value;
      value = middle + 2e-3f;
      const double high = loss();
      value = middle - 2e-3f;
      const double low = loss();
      value = middle;
      ASSERT_NEAR(gradients[i].data<float>()[k], (high - low) / 4e-3, 5e-3) << variables[i]->name << ", element " << k;
    }
}

TEST(Functional, LogsAreByOutputAndTheLossIsTheirWeightedSum) {
  Model model = TwoByTwo();
  const Samples data;
  model.compile(SGD(), {{"amount", "mse"}, {"kind", "sparse_categorical_crossentropy"}}, {{"kind", {"accuracy"}}},
                {.loss_weights = {2, 0.5f}});
  const Logs logs = model.evaluate(data.x, data.y, {.batch_size = 4, .verbose = 0});
  std::vector<std::string> names;
  for (const auto& [name, value] : logs) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("loss", "amount_loss", "kind_loss", "kind_accuracy"));
  EXPECT_NEAR(logs.At("loss"), 2 * logs.At("amount_loss") + 0.5 * logs.At("kind_loss"), 1e-6);
  const std::vector<Tensor> scores = model.predict(data.x);
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[1].shape(), (Shape{kSamples, 2}));
  double sum = 0;
  for (int64_t i = 0; i < kSamples; ++i) sum += std::pow(scores[0].data<float>()[i] - data.y[0].data<float>()[i], 2);
  EXPECT_NEAR(logs.At("amount_loss"), sum / kSamples, 1e-5);
  const History history = model.fit(data.x, data.y, {.epochs = 30, .verbose = 0});
  EXPECT_LT(history["loss"].back(), history["loss"].front());
}

// As a dictionary of features goes to the inputs of their names.
TEST(Functional, NamedComponentsFindTheirInputs) {
  const Samples samples;
  const auto loss = [&](std::vector<data::Element::NamedTensor> features) {
    Model model = TwoByTwo();
    model.compile(SGD(), {"mse", "sparse_categorical_crossentropy"});
    for (const Tensor& y : samples.y) features.emplace_back("", y);
    return model.evaluate(data::Dataset::FromElements({data::Element::Named(std::move(features))}), {.verbose = 0})
        .At("loss");
  };
  const double wanted = loss({{"", samples.x[0]}, {"", samples.x[1]}});
  EXPECT_EQ(loss({{"left", samples.x[0]}, {"right", samples.x[1]}}), wanted);
  EXPECT_EQ(loss({{"right", samples.x[1]}, {"left", samples.x[0]}}), wanted);
  EXPECT_THAT(Refusal([&] {
                loss({{"right", samples.x[1]}, {"middle", samples.x[0]}});
              }),
              HasSubstr("found no component for the input \"left\""));
  // A component of that name behind the inputs is a target.
  std::vector<data::Element::NamedTensor> misplaced = {{"right", samples.x[1]}, {"middle", samples.x[0]}};
  misplaced.emplace_back("left", samples.y[0]);
  misplaced.emplace_back("", samples.y[1]);
  Model model = TwoByTwo();
  model.compile(SGD(), {"mse", "sparse_categorical_crossentropy"});
  EXPECT_THAT(Refusal([&] {
                model.evaluate(data::Dataset::FromElements({data::Element::Named(std::move(misplaced))}),
                               {.verbose = 0});
              }),
              HasSubstr("found no component for the input \"left\""));
}

TEST(Functional, AnOutputWithoutALossTrainsNothing) {
  Model model = TwoByTwo();
  const Samples data;
  model.compile(SGD({.learning_rate = 0.1f}), ByOutput<Loss>{{"amount", "mse"}});
  const Tensor before = model.get_layer("kind").weights()[0]->value.Clone();
  model.fit(data.x, data.y, {.epochs = 3, .verbose = 0});
  const Tensor after = model.get_layer("kind").weights()[0]->value;
  for (int64_t i = 0; i < before.size(); ++i) EXPECT_EQ(before.data<float>()[i], after.data<float>()[i]);
}

TEST(Functional, FilesKeepSeveralInputsAndOutputs) {
  Model model = TwoByTwo(), other = TwoByTwo(9);
  const Samples data;
  const std::string path = std::filesystem::temp_directory_path() / ("functional" + std::to_string(getpid()) + ".h5");
  model.compile(SGD(), {"mse", "sparse_categorical_crossentropy"});
  model.save(path);
  Model loaded = LoadModel(path);
  other.load_weights(path);
  std::filesystem::remove(path);
  const auto wanted = model.predict(data.x), found = loaded.predict(data.x), again = other.predict(data.x);
  for (size_t i = 0; i < wanted.size(); ++i)
    for (int64_t k = 0; k < wanted[i].size(); ++k) {
      EXPECT_EQ(found[i].data<float>()[k], wanted[i].data<float>()[k]);
      EXPECT_EQ(again[i].data<float>()[k], wanted[i].data<float>()[k]);
    }
}

TEST(Functional, MisuseIsNamed) {
  Model model = TwoByTwo();
  const Samples data;
  EXPECT_THAT(Refusal([&] { model.compile("sgd", "mse"); }), HasSubstr("found one loss for 2 outputs"));
  EXPECT_THAT(Refusal([&] {
                model.compile("sgd", ByOutput<Loss>{{"amont", "mse"}});
              }),
              HasSubstr("found the name \"amont\", wanted one of the outputs amount, kind"));
  model.compile("sgd", {"mse", "sparse_categorical_crossentropy"});
  EXPECT_THAT(Refusal([&] { model.fit(data.x[0], data.y[0]); }),
              HasSubstr("found 1 inputs and 1 targets, wanted 2 and 2"));
  EXPECT_THAT(Refusal([&] { model.predict(data.x[0]); }), HasSubstr("2 inputs and 2 outputs: found one tensor"));
  EXPECT_THAT(Refusal([&] {
                model.fit(data.x, data.y, {.verbose = 0, .class_weight = {{0, 2.0f}}});
              }),
              HasSubstr("class_weight: found a model of 2 outputs"));
  EXPECT_THAT(Refusal([&] {
                model.fit({data.x[1], data.x[0]}, data.y, {.verbose = 0});
              }),
              HasSubstr("found input 'left' of shape (6, 3), wanted (None, 4)"));
  EXPECT_THAT(Refusal([] { Concatenate()({Input({2, 3}), Input({3, 4})}); }), HasSubstr("found parts of shapes"));
  EXPECT_THAT(Refusal([] { Subtract()({Input({2}), Input({2}), Input({2})}); }), HasSubstr("wanted a list of two"));
  Sequential one({Dense(1, {.input_shape = {2}})});
  EXPECT_THAT(Refusal([&] { one.compile("sgd", "mse", {"mae", "mae"}); }), HasSubstr("found \"mae\" twice"));
}

}  // namespace
}  // namespace headrace::keras
