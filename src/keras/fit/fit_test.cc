// fit(), evaluate() and predict() of a small model with the real engine.
#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"
#include "headrace/keras.h"

namespace headrace::keras {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kRows = 90;

// Points of the plane in three classes: the sector that they lie in.
struct Points {
  Points() : x(DType::kFloat32, {kRows, 2}), y(DType::kInt64, {kRows}) {
    data::Random random(7);
    for (int64_t i = 0; i < kRows; ++i) {
      const float angle = 6.2831853f * random.Uniform();
      x.data<float>()[2 * i] = std::cos(angle);
      x.data<float>()[2 * i + 1] = std::sin(angle);
      y.data<int64_t>()[i] = static_cast<int64_t>(angle * 3 / 6.2831853f);
    }
  }
  Tensor x, y;
};

Model MakeModel() {
  Sequential model(
      std::vector<Layer>{Dense(16, {.activation = "relu", .input_shape = {2}}), Dense(3, {.activation = "softmax"})},
      ModelOptions{.seed = 5});
  model.compile(Adam({.learning_rate = 0.02f}), "sparse_categorical_crossentropy", {"accuracy"});
  return model;
}

template <typename Function>
std::string MessageOf(ErrorCode code, Function function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.message();
  }
  return "nothing thrown";
}

TEST(Fit, Learns) {
  const Points points;
  Model model = MakeModel();
  const History history = model.fit(points.x, points.y, {.epochs = 40, .verbose = 0, .validation_split = 0.2});
  EXPECT_EQ(history["val_loss"].size(), 40u);
  EXPECT_LT(history["loss"].back(), 0.5 * history["loss"].front());
  EXPECT_GT(history["val_accuracy"].back(), 0.8);
}

TEST(Fit, SameSeedSameCurveWhateverTheSource) {
  const Points points;
  const auto tensors = MakeModel().fit(points.x, points.y, {.epochs = 3, .verbose = 0});
  EXPECT_EQ(MakeModel().fit(points.x, points.y, {.epochs = 3, .verbose = 0})["loss"], tensors["loss"]);
  const auto dataset = data::Dataset::FromTensors(points.x, points.y).shuffle(kRows, {.seed = 5}).batch(32);
  EXPECT_EQ(MakeModel().fit(dataset, {.epochs = 3, .verbose = 0})["loss"], tensors["loss"]);
}

TEST(Fit, GoesOnWhereAnEarlierCallStopped) {
  const Points points;
  const auto endless = data::Dataset::FromTensors(points.x, points.y).repeat().shuffle(40, {.seed = 2}).batch(16);
  const auto whole = MakeModel().fit(endless, {.epochs = 4, .steps_per_epoch = 5, .verbose = 0});
  Model model = MakeModel();
  model.fit(endless, {.epochs = 2, .steps_per_epoch = 5, .verbose = 0});
  const auto rest = model.fit(endless, {.epochs = 4, .initial_epoch = 2, .steps_per_epoch = 5, .verbose = 0});
  EXPECT_THAT(rest.epoch, ::testing::ElementsAre(2, 3));
  EXPECT_THAT(rest["loss"], ::testing::ElementsAre(whole["loss"][2], whole["loss"][3]));
}

// A loop around fit() with an epoch each sees the same data in the same order as one fit() of all epochs.
TEST(Fit, CallByCallIsEpochByEpoch) {
  const Points points;
  const auto endless = data::Dataset::FromTensors(points.x, points.y).repeat().shuffle(40, {.seed = 2}).batch(16);
  Model whole = MakeModel(), parts = MakeModel();
  const auto tensors = whole.fit(points.x, points.y, {.epochs = 3, .verbose = 0});
  const auto steps = whole.fit(endless, {.epochs = 3, .steps_per_epoch = 4, .verbose = 0});
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(parts.fit(points.x, points.y, {.verbose = 0})["loss"].at(0), tensors["loss"][i]) << i;
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(parts.fit(endless, {.steps_per_epoch = 4, .verbose = 0})["loss"].at(0), steps["loss"][i]) << i;
}

// As Keras: neither the data set's end nor another one's epochs leave a call without its steps.
TEST(Fit, EveryCallHasItsStepsWhateverCameBefore) {
  const Points points;
  const auto rows = data::Dataset::FromTensors(points.x, points.y);
  const auto finite = rows.batch(9), other = rows.take(81).batch(9);  // 10 and 9 batches
  Model model = MakeModel();
  for (const auto& dataset : {finite, finite, other})
    EXPECT_EQ(model.fit(dataset, {.epochs = 3, .steps_per_epoch = 3, .verbose = 0}).epoch.size(), 3u);
}

TEST(Fit, EarlyStoppingRestoresTheBestWeights) {
  const Points points;
  Model model = MakeModel();
  std::vector<double> losses;
  model.fit(points.x, points.y,
            {.epochs = 30,
             .callbacks = {LambdaCallback({.on_epoch_end =
                                               [&](int epoch, Logs& logs) {
                                                 losses.push_back(
                                                     model.evaluate(points.x, points.y, {.verbose = 0}).At("loss"));
                                                 logs.Set("watched", epoch < 5 ? -epoch : epoch);
                                               }}),
                           EarlyStopping({.monitor = "watched", .patience = 3, .restore_best_weights = true})},
             .verbose = 0});
  EXPECT_EQ(losses.size(), 8u);
  EXPECT_EQ(model.evaluate(points.x, points.y, {.verbose = 0}).At("loss"), losses[4]);
}

TEST(Fit, LearningRatesSetByACallbackAreUsed) {
  const Points points;
  Model model = MakeModel();
  const auto history =
      model.fit(points.x, points.y,
                {.epochs = 3,
                 .callbacks = {LambdaCallback({.on_epoch_end = [](int, Logs& logs) { logs.Set("watched", 1); }}),
                               ReduceLROnPlateau({.monitor = "watched", .factor = 0, .patience = 1})},
                 .verbose = 0});
  EXPECT_EQ(history["learning_rate"], (std::vector<double>{0.02f, 0.02f, 0}));
  const Tensor before = model.weights().front()->value.Clone();
  model.train_on_batch(points.x, points.y);
  EXPECT_EQ(std::memcmp(before.raw(), model.weights().front()->value.raw(), before.bytes()), 0);
}

TEST(Evaluate, AgreesWithPredictAndBatches) {
  const Points points;
  Model model = MakeModel();
  const Tensor scores = model.predict(points.x, {.batch_size = 32});
  ASSERT_EQ(scores.shape(), (Shape{kRows, 3}));
  double loss = 0;
  for (int64_t i = 0; i < kRows; ++i) loss -= std::log(scores.data<float>()[3 * i + points.y.data<int64_t>()[i]]);
  const Logs logs = model.evaluate(points.x, points.y, {.batch_size = 32, .verbose = 0});
  EXPECT_NEAR(logs.At("loss"), loss / kRows, 1e-6);
  const Logs batch = model.test_on_batch(points.x, points.y);
  EXPECT_NEAR(batch.At("loss"), logs.At("loss"), 1e-6);
  EXPECT_EQ(batch.At("accuracy"), logs.At("accuracy"));
  const Tensor again = model.predict(data::Dataset::FromTensors(points.x).batch(32));
  EXPECT_EQ(std::memcmp(again.raw(), scores.raw(), scores.bytes()), 0);
}

TEST(Fit, SaysWhatDoesNotFit) {
  const Points points;
  Model model = MakeModel();
  const auto invalid = [](auto function) { return MessageOf(ErrorCode::kInvalidArgument, function); };
  EXPECT_EQ(invalid([&] { model.fit(points.x, points.y.Slice(0, 3)); }),
            "x (90, 2) and y (3,): found 90 and 3 rows, wanted the same number, not 0");
  EXPECT_THAT(invalid([&] { model.fit(points.x, points.y, {.validation_split = 1}); }), HasSubstr("validation_split"));
  EXPECT_THAT(invalid([&] { model.fit(points.x, points.y, {.initial_epoch = -1}); }), HasSubstr("found -1"));
  EXPECT_THAT(invalid([&] { model.fit(points.x, points.y, {.verbose = 3}); }), HasSubstr("found 3"));
  EXPECT_THAT(invalid([&] { model.predict(Tensor()); }), HasSubstr("predict"));
  const auto empty = data::Dataset::FromTensors(points.x, points.y).take(0).batch(3);
  EXPECT_THAT(invalid([&] { model.fit(empty, {.verbose = 0}); }), HasSubstr("fit: the dataset is empty"));
  EXPECT_THAT(invalid([&] { model.evaluate(empty, {.verbose = 0}); }), HasSubstr("evaluate: the dataset is empty"));
  EXPECT_THAT(invalid([&] { model.predict(empty); }), HasSubstr("predict: the dataset is empty"));

  Sequential loose(std::vector<Layer>{Dense(3, {.input_shape = {2}})});
  EXPECT_THAT(MessageOf(ErrorCode::kFailedPrecondition, [&] { loose.fit(points.x, points.y); }),
              HasSubstr("call compile() before"));
}

}  // namespace
}  // namespace headrace::keras
