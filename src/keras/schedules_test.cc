#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/model_state.h"
#include "keras/schedule_state.h"

namespace headrace::keras {
namespace {

using internal::ScheduleFromJson;
using internal::ScheduleJson;
using ::testing::HasSubstr;

std::string MisuseOfSchedule(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

Sequential TinyModel() { return Sequential({Dense(1, {.input_shape = {2}})}, {.seed = 1}); }

// Formulas at points that can be computed by hand; tests/tensorflow/test_optimizers.py compares whole curves with
// Keras.
TEST(Schedules, AtKnownSteps) {
  EXPECT_FLOAT_EQ(ExponentialDecay(0.1, 10, 0.25)(5), 0.05f);
  EXPECT_FLOAT_EQ(ExponentialDecay(0.1, 10, 0.25, {.staircase = true})(19), 0.025f);
  EXPECT_FLOAT_EQ(InverseTimeDecay(0.1, 10, 2)(5), 0.05f);
  EXPECT_FLOAT_EQ(InverseTimeDecay(0.1, 10, 1, {.staircase = true})(9), 0.1f);
  const PiecewiseConstantDecay pieces({3, 5}, {1, 0.5, 0.25});
  EXPECT_EQ((std::vector<float>{pieces(0), pieces(3), pieces(4), pieces(5), pieces(6)}),
            (std::vector<float>{1, 1, 0.5, 0.5, 0.25}));
  EXPECT_FLOAT_EQ(PolynomialDecay(0.2, 10, {.end_learning_rate = 0.1, .power = 2})(5), 0.125f);
  EXPECT_FLOAT_EQ(PolynomialDecay(0.2, 10, {.end_learning_rate = 0.1})(99), 0.1f);
  EXPECT_FLOAT_EQ(PolynomialDecay(0.2, 10, {.end_learning_rate = 0.1, .cycle = true})(15), 0.125f);
  EXPECT_FLOAT_EQ(CosineDecay(0.2, 10)(5), 0.1f);
  const CosineDecay warm(0.1, 10, {.alpha = 0.5, .warmup_target = 0.2, .warmup_steps = 4});
  EXPECT_FLOAT_EQ(warm(2), 0.15f);
  EXPECT_FLOAT_EQ(warm(9), 0.15f);
  EXPECT_FLOAT_EQ(warm(99), 0.1f);
  EXPECT_FLOAT_EQ(CosineDecayRestarts(0.2, 10, {.m_mul = 0.5})(10), 0.1f);
  EXPECT_FLOAT_EQ(CosineDecayRestarts(0.2, 10, {.t_mul = 1})(15), 0.1f);
}

TEST(Schedules, ComeBackFromTheirConfiguration) {
  const std::vector<LearningRateSchedule> schedules = {
      ExponentialDecay(0.1, 7, 0.9, {.staircase = true}),
      InverseTimeDecay(0.1, 7, 0.9),
      PiecewiseConstantDecay({3, 5}, {1, 0.5, 0.25}),
      PolynomialDecay(0.2, 7, {.end_learning_rate = 0.1, .power = 2, .cycle = true}),
      CosineDecay(0.2, 7, {.alpha = 0.5}),
      CosineDecay(0.1, 7, {.warmup_target = 0.2, .warmup_steps = 3}),
      CosineDecayRestarts(0.2, 7, {.t_mul = 1.5, .m_mul = 0.5, .alpha = 0.1})};
  for (const LearningRateSchedule& schedule : schedules) {
    const auto read = ScheduleFromJson(ScheduleJson(schedule));
    ASSERT_TRUE(read);
    for (int64_t step = 0; step < 30; ++step) EXPECT_EQ((*read)(step), schedule(step)) << ScheduleJson(schedule);
  }
  EXPECT_FALSE(ScheduleFromJson({{"class_name", "NoamDecay"}, {"config", nlohmann::json::object()}}));
  EXPECT_TRUE(ScheduleJson(LearningRateSchedule([](int64_t) { return 0.1; })).is_null());
}

TEST(Schedules, SayWhatIsWrong) {
  EXPECT_THAT(MisuseOfSchedule([] { ExponentialDecay(0.1, 0, 0.9); }),
              HasSubstr("ExponentialDecay: decay_steps: found 0"));
  EXPECT_THAT(MisuseOfSchedule([] { CosineDecay(HUGE_VAL, 10); }),
              HasSubstr("CosineDecay: initial_learning_rate: found inf"));
  EXPECT_THAT(MisuseOfSchedule([] { CosineDecay(0.1, 10, {.warmup_steps = -1}); }),
              HasSubstr("warmup_steps: found -1"));
  EXPECT_THAT(MisuseOfSchedule([] { CosineDecayRestarts(0.1, 10, {.t_mul = 0.5}); }), HasSubstr("t_mul: found 0.5"));
  EXPECT_THAT(MisuseOfSchedule([] {
                PiecewiseConstantDecay({1, 2}, {1, 2});
              }),
              HasSubstr("found 2 boundaries and 2 values"));
  EXPECT_THAT(MisuseOfSchedule([] { PiecewiseConstantDecay({2, 1}, {1, 2, 3}); }), HasSubstr("found 1 behind 2"));
  EXPECT_THAT(MisuseOfSchedule([] { LearningRateSchedule(std::function<double(int64_t)>()); }),
              HasSubstr("empty function"));
  EXPECT_THAT(MisuseOfSchedule([] { LearningRateSchedule([](int64_t) { return -1.0; })(3); }),
              HasSubstr("step 3: found the rate -1"));
  EXPECT_THAT(MisuseOfSchedule([] { SGD({.learning_rate = CosineDecay(0.1, 10), .decay = 0.1f}); }),
              HasSubstr("decay: found 0.1 beside a schedule"));
}

TEST(Schedules, SayTheRateOfEachStep) {
  // With a gradient of -1 for the bias, its value is the sum of the rates.
  Sequential model = TinyModel();
  model.compile(SGD({.learning_rate = [](int64_t step) { return 0.1 * static_cast<double>(step + 1); }}), "mae");
  const Tensor x = Tensor::Zeros(DType::kFloat32, {1, 2});
  Tensor y = Tensor::Zeros(DType::kFloat32, {1, 1});
  y.data<float>()[0] = 100;
  for (int step = 0; step < 4; ++step) {
    EXPECT_FLOAT_EQ(model.optimizer().learning_rate(), 0.1f * static_cast<float>(step + 1));
    model.train_on_batch(x, y);
  }
  EXPECT_NEAR(model.weights()[1]->value.data<float>()[0], 0.1 + 0.2 + 0.3 + 0.4, 1e-6);
}

TEST(Schedules, CannotBeSet) {
  Sequential model = TinyModel();
  model.compile(Adam({.learning_rate = ExponentialDecay(0.1, 10, 0.9)}), "mse");
  EXPECT_THAT(MisuseOfSchedule([&] { model.optimizer().set_learning_rate(0.1f); }),
              HasSubstr("the learning rate of Adam is a schedule's"));
  const Tensor before = model.weights()[0]->value;
  const float weight = before.data<float>()[0];
  const Tensor x = Tensor::Zeros(DType::kFloat32, {4, 2}), y = Tensor::Zeros(DType::kFloat32, {4, 1});
  for (const CallbackPtr& callback :
       {ReduceLROnPlateau({.monitor = "loss"}), LearningRateScheduler([](int, double rate) { return rate / 2; })})
    EXPECT_THAT(MisuseOfSchedule([&] { model.fit(x, y, {.callbacks = {callback}, .verbose = 0}); }),
                HasSubstr("is a schedule's and cannot be set"));
  EXPECT_EQ(model.weights()[0]->value.data<float>()[0], weight) << "before the first step";
}

TEST(LearningRateScheduler, SetsTheRateOfEachEpoch) {
  Sequential model = TinyModel();
  model.compile(SGD({.learning_rate = 0.4}), "mse");
  std::vector<float> rates;
  const auto see =
      LambdaCallback({.on_train_batch_begin = [&](int) { rates.push_back(model.optimizer().learning_rate()); }});
  const Tensor x = Tensor::Zeros(DType::kFloat32, {4, 2}), y = Tensor::Zeros(DType::kFloat32, {4, 1});
  const auto half = LearningRateScheduler([](int epoch, double rate) { return epoch == 0 ? rate : rate / 2; });
  const History history = model.fit(x, y, {.epochs = 3, .callbacks = {half, see}, .verbose = 0});
  EXPECT_EQ(rates, (std::vector<float>{0.4f, 0.2f, 0.1f}));
  EXPECT_EQ(history["learning_rate"].size(), 3u);
  EXPECT_FLOAT_EQ(static_cast<float>(history["learning_rate"][2]), 0.1f);
  rates.clear();
  const auto by_epoch = LearningRateScheduler([](int epoch) { return 1.0 / (1 + epoch); }, 1);
  ::testing::internal::CaptureStdout();
  model.fit(x, y, {.epochs = 2, .callbacks = {by_epoch, see}, .verbose = 0});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "\nEpoch 1: LearningRateScheduler setting learning rate to 1.0.\n"
            "\nEpoch 2: LearningRateScheduler setting learning rate to 0.5.\n");
  EXPECT_EQ(rates, (std::vector<float>{1, 0.5f}));
  EXPECT_THAT(MisuseOfSchedule([] { LearningRateScheduler(std::function<double(int)>()); }),
              HasSubstr("empty function"));
}

}  // namespace
}  // namespace headrace::keras
