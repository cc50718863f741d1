// The schedules against values worked out by Horovod's own formulas (_keras/callbacks.py): rates in the order of the
// batches.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "base/result.h"
#include "horovod/keras/callbacks.h"
#include "keras/model_state.h"
#include "keras/optimizer_state.h"

namespace headrace::hvd {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

struct Seen {
  std::vector<double> rates, momenta;  // of the batches
  std::vector<double> logged;          // "lr" of the epochs
  float momentum_after = 0;
  std::string printed;
};

// A model of one weight through `epochs` epochs of `steps` steps.
Seen Fit(const keras::CallbackPtr& callback, int epochs, int64_t steps, float momentum = 0, int initial_epoch = 0) {
  using namespace keras;  // NOLINT(google-build-using-namespace)
  Sequential model({Dense(2, {.activation = "softmax", .use_bias = false, .input_shape = {1}})}, {.seed = 1});
  model.compile(SGD({.learning_rate = 0.4f, .momentum = momentum}), "categorical_crossentropy");
  const auto data = data::Dataset::FromTensors(Tensor::FromVector(std::vector<float>{1, 2}, {2, 1}),
                                               Tensor::FromVector(std::vector<float>{1, 0, 0, 1}, {2, 2}))
                        .batch(2)
                        .repeat();
  Seen seen;
  const auto& optimizer = *model.optimizer().state();
  const auto watch = LambdaCallback({.on_epoch_end = [&](int, Logs& logs) { seen.logged.push_back(logs.At("lr")); },
                                     .on_train_batch_begin =
                                         [&](int) {
                                           seen.rates.push_back(optimizer.learning_rate);
                                           seen.momenta.push_back(optimizer.momentum);
                                         }});
  testing::internal::CaptureStdout();
  model.fit(data, {.epochs = epochs,
                   .initial_epoch = initial_epoch,
                   .steps_per_epoch = steps,
                   .callbacks = {callback, watch},
                   .verbose = 0});
  seen.printed = testing::internal::GetCapturedStdout();
  seen.momentum_after = optimizer.momentum;
  return seen;
}

Place Of(int rank, int size) {
  Place place;
  place.rank = rank;
  place.size = size;
  return place;
}

auto Near(const std::vector<double>& values) { return Pointwise(DoubleNear(1e-6), values); }

TEST(LearningRateWarmup, RisesFromAShareOfTheRateToTheRate) {
  // initial 0.4, 4 ranks, 2 epochs of 2 steps: 0.1 * ((e + 1/2) * 3 / 2 + 1) at e = 0, 0.5, 1, 1.5.
  const Seen seen = Fit(MakeWarmupCallback(Of(0, 4), {.warmup_epochs = 2, .verbose = 1}), 3, 2);
  EXPECT_THAT(seen.rates, Near({0.175, 0.25, 0.325, 0.4, 0.4, 0.4}));
  EXPECT_THAT(seen.logged, Near({0.25, 0.4, 0.4}));
  EXPECT_EQ(seen.printed, "\nEpoch 2: finished gradual learning rate warmup to 0.4.\n");
}

TEST(LearningRateWarmup, SpeaksOnRankZeroAndWhenAsked) {
  EXPECT_EQ(Fit(MakeWarmupCallback(Of(1, 4), {.warmup_epochs = 1, .verbose = 1}), 1, 2).printed, "");
  EXPECT_EQ(Fit(MakeWarmupCallback(Of(0, 4), {.warmup_epochs = 1}), 1, 2).printed, "");
}

TEST(LearningRateWarmup, OfOneRankKeepsTheRate) {
  EXPECT_THAT(Fit(MakeWarmupCallback(Of(0, 1), {.warmup_epochs = 2}), 2, 2).rates, Near({0.4, 0.4, 0.4, 0.4}));
}

TEST(LearningRateWarmup, CorrectsMomentumForTheBatchThatChangesTheRate) {
  const Seen seen = Fit(MakeWarmupCallback(Of(0, 4), {.warmup_epochs = 2}), 2, 2, 0.8f);
  EXPECT_THAT(seen.momenta, Near({0.8 * 0.175 / 0.4, 0.8 * 0.25 / 0.175, 0.8 * 0.325 / 0.25, 0.8 * 0.4 / 0.325}));
  EXPECT_EQ(seen.momentum_after, 0.8f);
  const Seen uncorrected =
      Fit(MakeWarmupCallback(Of(0, 4), {.warmup_epochs = 2, .momentum_correction = false}), 2, 2, 0.8f);
  EXPECT_THAT(uncorrected.momenta, Near({0.8, 0.8, 0.8, 0.8}));
}

TEST(LearningRateSchedule, StepsOnceAnEpochBetweenStartAndEnd) {
  const auto multiplier = [](double epoch) { return 1 / (1 + epoch); };
  const auto callback = MakeScheduleCallback(multiplier, {.initial_lr = 1, .start_epoch = 1, .end_epoch = 3});
  EXPECT_THAT(Fit(callback, 4, 2).rates, Near({0.4, 0.4, 0.5, 0.5, 1 / 3.0, 1 / 3.0, 1 / 3.0, 1 / 3.0}));
}

TEST(LearningRateSchedule, FollowsFractionsOfEpochsWithoutStaircase) {
  const auto callback = MakeScheduleCallback([](double epoch) { return 1 + epoch; }, {.staircase = false});
  EXPECT_THAT(Fit(callback, 2, 2).rates, Near({0.4, 0.6, 0.8, 1.0}));
  const auto longer =
      MakeScheduleCallback([](double epoch) { return 1 + epoch; }, {.staircase = false, .steps_per_epoch = 4});
  EXPECT_THAT(Fit(longer, 1, 2).rates, Near({0.4, 0.5}));
}

TEST(LearningRateSchedule, GoesOnFromTheRateItBeganWith) {
  const auto make = [] { return MakeScheduleCallback([](double epoch) { return 1 + epoch; }, {}); };
  const auto first = make(), second = make();
  Fit(first, 2, 2);
  second->restore_state(first->state());
  EXPECT_THAT(Fit(second, 3, 2, 0, 2).rates, Near({1.2, 1.2}));
  EXPECT_THROW(second->restore_state("fast"), Error);
}

TEST(LearningRateSchedule, NeedsTheStepsOfAnEpoch) {
  using namespace keras;  // NOLINT(google-build-using-namespace)
  Sequential model({Dense(2, {.activation = "softmax", .input_shape = {1}})});
  model.compile(SGD(), "categorical_crossentropy");
  const auto callback = MakeScheduleCallback([](double) { return 1; }, {.staircase = false});
  try {
    callback->set_model(&model);
    callback->set_params({.steps = 0});
    callback->on_train_begin();
    FAIL() << "the number of steps is unknown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("could not autodetect the number of steps per epoch"));
  }
  EXPECT_THROW(MakeWarmupCallback(Of(0, 2), {.warmup_epochs = 0}), Error);
  EXPECT_THROW(MakeScheduleCallback([](double) { return 1; }, {.steps_per_epoch = -1}), Error);
}

}  // namespace
}  // namespace headrace::hvd
