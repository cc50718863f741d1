// Losses: gradients of every one against central differences, values that can be told by hand, regularizers and
// weights. The formulas against Keras's own: tests/tensorflow/test_losses.py.
#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/losses/loss_state.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using tensor::testing::CentralDifference;
using tensor::testing::RandomTensor;
using ::testing::HasSubstr;

constexpr int64_t kLossRows = 5, kLossWidth = 3;

Tensor Floats(const std::vector<float>& values, Shape shape) { return Tensor::FromVector(values, std::move(shape)); }

// Targets between 0 and 1, as every loss takes them.
Tensor Targets(const Loss& loss, Shape shape) {
  if (loss.state()->classes) {
    Tensor y(DType::kInt64, Shape({shape.dims().begin(), shape.dims().end() - 1}));
    for (int64_t i = 0; i < y.size(); ++i) y.data<int64_t>()[i] = i % kLossWidth;
    return y;
  }
  Tensor y = RandomTensor(DType::kFloat32, shape, 3, 0.5f, 0.1f);
  for (int64_t i = 0; i < y.size(); ++i) y.data<float>()[i] = std::min(std::max(y.data<float>()[i], 0.05f), 0.95f);
  for (int64_t row = 0; row < y.size() / kLossWidth; ++row) {  // rows of probabilities, as crossentropies want them
    float* values = y.data<float>() + row * kLossWidth;
    const float sum = values[0] + values[1] + values[2];
    for (int64_t i = 0; i < kLossWidth; ++i) values[i] /= sum;
  }
  return y;
}

void CheckGradients(Model model, const internal::Batch& batch, double bound = 2e-3) {
  omp_set_num_threads(1);
  internal::Engine engine(model.state(), tensor::MakeReferenceBackend());
  const auto loss = [&] { return engine.TrainBatch(batch).loss / static_cast<double>(batch.x[0].dim(0)); };
  loss();
  const auto variables = model.state().TrainableWeights();
  std::vector<Tensor> gradients;
  double largest = 1e-3;
  for (size_t i = 0; i < variables.size(); ++i) {
    gradients.push_back(engine.gradient(i).Clone());
    for (int64_t k = 0; k < gradients[i].size(); ++k)
      largest = std::max<double>(largest, std::abs(gradients[i].data<float>()[k]));
  }
  constexpr double kStep = 2e-3;
  for (size_t i = 0; i < variables.size(); ++i)
    for (int64_t k = 0; k < gradients[i].size(); ++k) {
      const double slope = CentralDifference(variables[i]->value.data<float>()[k], loss, kStep);
      ASSERT_NEAR(gradients[i].data<float>()[k], slope, bound * largest) << variables[i]->name << ", element " << k;
    }
}

struct Case {
  const char* name;
  Loss loss;
  const char* activation = "sigmoid";
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> Cases() {
  return {
      {"MeanSquaredError", "mse", "linear"},
      {"MeanAbsoluteError", "mae", "tanh"},
      {"MeanAbsolutePercentageError", "mape"},
      {"MeanSquaredLogarithmicError", "msle"},
      {"LogCosh", "log_cosh", "linear"},
      {"Huber", Huber({.delta = 0.3f}), "linear"},
      {"Hinge", "hinge", "linear"},
      {"SquaredHinge", "squared_hinge", "linear"},
      {"CategoricalHinge", "categorical_hinge", "tanh"},
      {"KLDivergence", "kl_divergence"},
      {"Poisson", "poisson"},
      {"CosineSimilarity", "cosine_similarity", "linear"},
      {"CosineSimilarityOverRows", CosineSimilarity({.axis = 1}), "tanh"},
      {"BinaryCrossentropyOfLogits", BinaryCrossentropy({.from_logits = true, .label_smoothing = 0.1f}), "linear"},
      {"BinaryCrossentropyOfSigmoid", "binary_crossentropy"},
      {"BinaryCrossentropyOfProbabilities", "bce", "softmax"},
      {"BinaryFocalCrossentropy", BinaryFocalCrossentropy({.apply_class_balancing = true, .gamma = 1.5f})},
      {"CategoricalCrossentropyOfSoftmax", CategoricalCrossentropy({.label_smoothing = 0.2f}), "softmax"},
      {"CategoricalCrossentropyOfProbabilities", "categorical_crossentropy"},
      {"CategoricalFocalCrossentropy", CategoricalFocalCrossentropy({.gamma = 1.5f}), "softmax"},
      {"CategoricalFocalCrossentropyOfLogits", CategoricalFocalCrossentropy({.from_logits = true}), "linear"},
      {"SparseCategoricalCrossentropy", SparseCategoricalCrossentropy({.from_logits = true}), "linear"},
      {"SparseCategoricalCrossentropyOfProbabilities", "sparse_categorical_crossentropy"},
      {"CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", "softmax"},
      {"Dice", "dice"},
      {"DiceOverAxes", Dice({.axis = {-1}})},
      {"Tversky", Tversky({.alpha = 0.3f, .beta = 0.7f})},
      {"Sum", MeanSquaredError({.reduction = "sum"}), "tanh"},
  };
}

class LossGradient : public testing::TestWithParam<Case> {};

Model MakeModel(const Case& c, bool deep) {
  const KerasTensor input = deep ? Input({2, 4}) : Input({4});
  Model model(input, Dense(kLossWidth, {.activation = c.activation})(Dense(3, {.activation = "tanh"})(input)),
              {.seed = 4});
  model.compile(SGD({.learning_rate = 0}), c.loss);
  return model;
}

TEST_P(LossGradient, AgreesWithDifferences) {
  Model model = MakeModel(GetParam(), false);
  CheckGradients(
      model,
      {{RandomTensor(DType::kFloat32, {kLossRows, 4}, 1)}, {Targets(GetParam().loss, {kLossRows, kLossWidth})}, {}});
}

// Outputs of rank 3, each row with a weight.
TEST_P(LossGradient, AgreesWithDifferencesOverAnyRankAndWeights) {
  const Loss& loss = GetParam().loss;
  Model model = MakeModel(GetParam(), true);
  CheckGradients(model, {{RandomTensor(DType::kFloat32, {kLossRows, 2, 4}, 1)},
                         {Targets(loss, {kLossRows, 2, kLossWidth})},
                         {Floats({1, 0, 2, 0.5f, 3}, {kLossRows})}});
}

INSTANTIATE_TEST_SUITE_P(All, LossGradient, testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });

// ----------------------------------------------------------------------------------------- what counts how much

// y = 2 x, trained by nothing: its errors are known.
Model Double(const Loss& loss, std::vector<Metric> metrics = {}) {
  Sequential model({Dense(1, {.use_bias = false, .input_shape = {1}})});
  model.compile(SGD({.learning_rate = 0}), loss, std::move(metrics));
  model.weights()[0]->value.data<float>()[0] = 2;
  return model;
}

TEST(Loss, IsTheMeanOfAllRows) {
  Model model = Double("mse", {"mae"});
  const Logs logs = model.evaluate(Floats({1, 2, 3}, {3, 1}), Floats({2, 2, 2}, {3}), {.batch_size = 2, .verbose = 0});
  EXPECT_FLOAT_EQ(logs.At("loss"), (0 + 4 + 16) / 3.0);
  EXPECT_FLOAT_EQ(logs.At("mae"), (0 + 2 + 4) / 3.0);
}

TEST(Loss, IsWeightedByTheSamples) {
  const Tensor x = Floats({1, 2, 3}, {3, 1}), y = Floats({2, 2, 2}, {3, 1}), weights = Floats({1, 2, 0.5f}, {3});
  const auto loss = [&](const char* reduction) {
    Model model = Double(MeanSquaredError({.reduction = reduction}), {"mae"});
    const Logs logs = model.evaluate(x, y, {.verbose = 0, .sample_weight = weights});
    EXPECT_FLOAT_EQ(logs.At("mae"), 2);  // metrics are not
    return logs.At("loss");
  };
  EXPECT_FLOAT_EQ(loss("sum_over_batch_size"), (4 * 2 + 16 * 0.5) / 3);
  EXPECT_FLOAT_EQ(loss("sum"), 4 * 2 + 16 * 0.5);
  EXPECT_FLOAT_EQ(loss("mean_with_sample_weight"), (4 * 2 + 16 * 0.5) / 3.5);
}

TEST(Fit, WeightsByClassAreThoseOfTheirSamples) {
  const Tensor x = RandomTensor(DType::kFloat32, {40, 3}, 1);
  Tensor y(DType::kInt64, {40}), weights(DType::kFloat32, {40});
  for (int64_t i = 0; i < 40; ++i) {
    y.data<int64_t>()[i] = i % 2;
    weights.data<float>()[i] = i % 2 == 1 ? 5.0f : 1.0f;
  }
  const auto train = [&](const char* loss, int64_t units, const char* activation, FitOptions options) {
    Sequential model({Dense(units, {.activation = activation, .input_shape = {3}})}, {.seed = 1});
    model.compile("sgd", loss);
    options.verbose = 0;
    return model.fit(x, y, options)["loss"][0];
  };
  EXPECT_EQ(train("bce", 1, "sigmoid", {.class_weight = {{1, 5.0f}}}),
            train("bce", 1, "sigmoid", {.sample_weight = weights}));
  EXPECT_EQ(train("sparse_categorical_crossentropy", 2, "softmax", {.class_weight = {{1, 5.0f}}}),
            train("sparse_categorical_crossentropy", 2, "softmax", {.sample_weight = weights}));
  try {
    train("bce", 1, "sigmoid", {.sample_weight = weights, .class_weight = {{1, 5.0f}}});
    ADD_FAILURE() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("wanted one of them"));
  }
}

TEST(Loss, RefusesTargetsOfAnotherShape) {
  Model model = Double("mse");
  try {
    model.train_on_batch(Floats({1, 2, 3}, {3, 1}), Floats({1, 2, 3, 4, 5, 6}, {3, 2}));
    ADD_FAILURE() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("mean_squared_error: found targets of shape (None, 2) for predictions of shape (None, 1)"));
  }
}

TEST(Regularizer, AddsToTheLossAndItsGradient) {
  for (const Regularizer& regularizer : {Regularizer(L1(0.3f)), Regularizer(L2(0.2f)), Regularizer(L1L2(0.1f, 0.2f))}) {
    Sequential model({Dense(3, {.activation = "tanh",
                                .kernel_regularizer = regularizer,
                                .bias_regularizer = regularizer,
                                .input_shape = {4}}),
                      Dense(kLossWidth, {.activation = "tanh", .activity_regularizer = regularizer})},
                     {.seed = 4});
    model.compile(SGD({.learning_rate = 0}), "mse");
    for (int64_t i = 0; i < 3; ++i) model.weights()[1]->value.data<float>()[i] = 0.4f;
    CheckGradients(model,
                   {{RandomTensor(DType::kFloat32, {kLossRows, 4}, 1)}, {Targets("mse", {kLossRows, kLossWidth})}, {}});
  }
  Sequential model({Dense(1, {.use_bias = false, .kernel_regularizer = L1L2(0.5f, 0.25f), .input_shape = {1}})});
  model.compile(SGD({.learning_rate = 0}), "mse");
  model.weights()[0]->value.data<float>()[0] = -2;
  const Tensor x = Floats({1}, {1, 1});
  EXPECT_FLOAT_EQ(model.test_on_batch(x, Floats({-2}, {1, 1})).At("loss"), 0.5 * 2 + 0.25 * 4);
  model.get_layer("dense").set_trainable(false);
  model.compile(SGD({.learning_rate = 0}), "mse");
  EXPECT_FLOAT_EQ(model.test_on_batch(x, Floats({-2}, {1, 1})).At("loss"), 0);  // as Keras: nothing to keep small
}

}  // namespace
}  // namespace headrace::keras
