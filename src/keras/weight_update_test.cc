// What becomes of a step's gradients, on one weight whose gradient is known: a bias of zero before mean absolute error
// from far below its target has a gradient of -1 whatever its value.
#include "keras/weight_update.h"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "keras/model_state.h"
#include "keras/optimizer_rules.h"
#include "keras/packed.h"

namespace headrace::keras {
namespace {

using ::testing::HasSubstr;

std::string MisuseOfOptimizer(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

class Pulled {
 public:
  explicit Pulled(Optimizer optimizer) : optimizer_(std::move(optimizer)) {
    model_.compile(optimizer_, "mae");
    y_.data<float>()[0] = 1000;
  }
  float Step() {
    model_.train_on_batch(x_, y_);
    return bias();
  }
  float bias() const { return model_.weights()[1]->value.data<float>()[0]; }
  float SlotOfBias(const std::string& name) const {
    for (const auto& slot : optimizer_.state()->slots)
      if (slot.name == name) return slot.values[1].data<float>()[0];
    ADD_FAILURE() << "no slot " << name;
    return NAN;
  }
  Sequential& model() { return model_; }
  Tensor x_ = Tensor::Zeros(DType::kFloat32, {1, 2}), y_ = Tensor::Zeros(DType::kFloat32, {1, 1});

 private:
  Optimizer optimizer_;
  Sequential model_{{Dense(1, {.input_shape = {2}})}, {.seed = 1}};
};

TEST(WeightUpdate, ClipsEachGradientOrAllTogether) {
  EXPECT_FLOAT_EQ(Pulled(SGD({.learning_rate = 1, .clipvalue = 0.25f})).Step(), 0.25f);
  EXPECT_FLOAT_EQ(Pulled(SGD({.learning_rate = 1, .clipnorm = 0.25f})).Step(), 0.25f);
  EXPECT_FLOAT_EQ(Pulled(SGD({.learning_rate = 1, .clipnorm = 2})).Step(), 1) << "smaller already";
  EXPECT_FLOAT_EQ(Pulled(SGD({.learning_rate = 1, .global_clipnorm = 0.5f})).Step(), 0.5f);
  // With x = (3, 4) the kernel's gradient is (-3, -4): alone it has the norm 5, with the bias sqrt(26).
  Pulled each(SGD({.learning_rate = 1, .clipnorm = 0.5f})),
      together(SGD({.learning_rate = 1, .global_clipnorm = 0.5f}));
  for (Pulled* pulled : {&each, &together}) {
    pulled->x_.data<float>()[0] = 3;
    pulled->x_.data<float>()[1] = 4;
  }
  EXPECT_FLOAT_EQ(each.Step(), 0.5f);
  EXPECT_FLOAT_EQ(together.Step(), 0.5f / std::sqrt(26.0f));
}

TEST(WeightUpdate, DecaysWeightsThatAreNotLeftOut) {
  const auto kernel_behind = [](const std::function<void(Optimizer&, const Model&)>& leave_out) {
    Sequential model({Dense(1, {.use_bias = false, .input_shape = {2}})}, {.seed = 1});
    const float before = model.weights()[0]->value.data<float>()[0];
    Optimizer optimizer = SGD({.learning_rate = 0.5, .weight_decay = 0.2f});
    leave_out(optimizer, model);
    model.compile(optimizer, "mse");
    model.train_on_batch(Tensor::Zeros(DType::kFloat32, {1, 2}), Tensor::Zeros(DType::kFloat32, {1, 1}));
    return model.weights()[0]->value.data<float>()[0] / before;
  };
  EXPECT_FLOAT_EQ(kernel_behind([](Optimizer&, const Model&) {}), 0.9f);
  EXPECT_FLOAT_EQ(kernel_behind([](Optimizer& o, const Model&) { o.exclude_from_weight_decay({}, {"kernel"}); }), 1);
  EXPECT_FLOAT_EQ(kernel_behind([](Optimizer& o, const Model&) { o.exclude_from_weight_decay({}, {"bias"}); }), 0.9f);
  EXPECT_FLOAT_EQ(kernel_behind([](Optimizer& o, const Model&) { o.exclude_from_weight_decay({}, {"dense"}); }), 0.9f)
      << "the layer's name";
  EXPECT_FLOAT_EQ(kernel_behind([](Optimizer& o, const Model& m) { o.exclude_from_weight_decay(m.weights()); }), 1);
  Optimizer trained = AdamW();
  Pulled pulled(trained);
  pulled.Step();
  EXPECT_THAT(MisuseOfOptimizer([&] { trained.exclude_from_weight_decay({}, {"bias"}); }),
              HasSubstr("before its first step"));
}

TEST(WeightUpdate, AccumulatesGradientsAndCountsTheStepsThatChangeWeights) {
  Pulled pulled(SGD({.learning_rate = 1, .gradient_accumulation_steps = 3}));
  for (int step = 1; step <= 7; ++step) {
    EXPECT_FLOAT_EQ(pulled.Step(), static_cast<float>(step / 3)) << step;
    EXPECT_EQ(pulled.model().optimizer().iterations(), step / 3);
    EXPECT_FLOAT_EQ(pulled.SlotOfBias("gradient_accumulator"), -static_cast<float>(step % 3));
  }
}

TEST(WeightUpdate, KeepsAMovingAverageAndPutsItInPlace) {
  Pulled pulled(SGD({.learning_rate = 1, .use_ema = true, .ema_momentum = 0.5f}));
  float average = 0;
  for (int step = 1; step <= 4; ++step) {
    EXPECT_FLOAT_EQ(pulled.Step(), static_cast<float>(step));
    average = step == 1 ? 1 : 0.5f * average + 0.5f * static_cast<float>(step);
    EXPECT_FLOAT_EQ(pulled.SlotOfBias("average"), average);
  }
  Pulled every_second(SGD({.learning_rate = 1, .use_ema = true, .ema_momentum = 0.5f, .ema_overwrite_frequency = 2}));
  EXPECT_FLOAT_EQ(every_second.Step(), 1);
  EXPECT_FLOAT_EQ(every_second.Step(), 1.5f);
}

// Ranks that sum several batches before they exchange them have no gradients in between.
TEST(WeightUpdate, AStepWithoutGradientsCountsInTheAverage) {
  Optimizer made = SGD({.learning_rate = 1, .use_ema = true, .ema_momentum = 0.5f});
  internal::OptimizerState& optimizer = *made.state();
  const internal::PackedTensors weights = internal::PackTensors({{1}});
  const std::vector<VariablePtr> variables = {
      std::make_shared<Variable>(Variable{.name = "weight", .value = weights.views[0]})};
  internal::MakeSlots(optimizer, variables);
  const auto backend = tensor::MakeOneDnnBackend();
  internal::WeightUpdate update(*backend, optimizer, variables, weights.buffer);
  const std::vector<float> gradient(16, -1.0f);
  for (const float* given : {static_cast<const float*>(nullptr), gradient.data()}) {
    update.Apply(given);
    ++optimizer.iterations;
  }
  EXPECT_FLOAT_EQ(weights.views[0].data<float>()[0], 1);
  EXPECT_FLOAT_EQ(optimizer.slots[0].values[0].data<float>()[0], 0.5f * 0 + 0.5f * 1);
}

// Its slot starts as the weights are at the first step, not as they were when a prediction made the engine.
TEST(WeightUpdate, ScheduleFreeStartsFromTheWeightsOfTheFirstStep) {
  Pulled set_late(ScheduleFreeAdamW({.learning_rate = 0.5})), set_early(ScheduleFreeAdamW({.learning_rate = 0.5}));
  const auto set = [](Pulled& pulled) { pulled.model().weights()[1]->value.data<float>()[0] = 3; };
  set(set_early);
  EXPECT_EQ(set_late.model().predict(set_late.x_).data<float>()[0], 0);
  set(set_late);
  for (int step = 0; step < 2; ++step) EXPECT_EQ(set_late.Step(), set_early.Step());
  EXPECT_GT(set_late.bias(), 3);
}

TEST(WeightUpdate, FitEndsWithTheAverage) {
  Pulled pulled(SGD({.learning_rate = 1, .use_ema = true, .ema_momentum = 0.5f}));
  pulled.model().fit(pulled.x_, pulled.y_, {.epochs = 3, .verbose = 0});
  EXPECT_FLOAT_EQ(pulled.bias(), 0.5f * (0.5f * 1 + 0.5f * 2) + 0.5f * 3);
}

// Rates of 1 pull the bias to 1, 2, 3, …; its average with a momentum of 0.5 lags behind.
TEST(SwapEMAWeights, PutsTheAverageInPlaceForValidationEvaluateAndPredict) {
  Pulled pulled(SGD({.learning_rate = 1, .use_ema = true, .ema_momentum = 0.5f}));
  std::vector<float> trained, validated, behind;
  const auto note = [&](std::vector<float>& values) { values.push_back(pulled.bias()); };
  class Watch : public Callback {
   public:
    Watch(std::function<void()> test, std::function<void()> epoch) : test_(std::move(test)), epoch_(std::move(epoch)) {}
    void on_test_begin() override { test_(); }
    void on_epoch_end(int, Logs&) override { epoch_(); }

   private:
    std::function<void()> test_, epoch_;
  };
  const auto watch = std::make_shared<Watch>([&] { note(validated); }, [&] { note(behind); });
  const auto steps = LambdaCallback({.on_train_batch_end = [&](int, Logs&) { note(trained); }});
  const auto data = data::Dataset::FromTensors({pulled.x_, pulled.y_}).batch(1);
  FitOptions fit{.epochs = 2, .validation_data = &data, .callbacks = {SwapEMAWeights(), watch, steps}, .verbose = 0};
  pulled.model().fit(pulled.x_, pulled.y_, fit);
  EXPECT_EQ(trained, (std::vector<float>{1, 2}));
  EXPECT_EQ(validated, (std::vector<float>{1, 1.5f}));
  EXPECT_EQ(behind, (std::vector<float>{1, 2}));
  EXPECT_EQ(pulled.bias(), 1.5f) << "fit() ends with the average";

  pulled.Step();  // 2.5, of which the average becomes 2
  EXPECT_FLOAT_EQ(static_cast<float>(pulled.model().evaluate(pulled.x_, pulled.y_, {.verbose = 0}).At("loss")), 997.5f);
  const EvaluateOptions evaluate{.verbose = 0, .callbacks = {SwapEMAWeights()}};
  EXPECT_FLOAT_EQ(static_cast<float>(pulled.model().evaluate(pulled.x_, pulled.y_, evaluate).At("loss")), 998);
  const PredictOptions predict{.callbacks = {SwapEMAWeights()}};
  EXPECT_FLOAT_EQ(pulled.model().predict(pulled.x_, predict).data<float>()[0], 2);
  EXPECT_FLOAT_EQ(pulled.model().predict(pulled.x_).data<float>()[0], 2.5f);

  behind.clear();
  fit = {.epochs = 2, .callbacks = {SwapEMAWeights({.swap_on_epoch = true}), watch}, .verbose = 0};
  pulled.model().fit(pulled.x_, pulled.y_, fit);  // 3.5 and 4.5; averages 2.75 and 3.625
  EXPECT_EQ(behind, (std::vector<float>{2.75f, 3.625f}));
  EXPECT_EQ(pulled.bias(), 3.625f);

  Pulled without(SGD({.learning_rate = 1}));
  fit = {.callbacks = {SwapEMAWeights()}, .verbose = 0};
  EXPECT_THAT(MisuseOfOptimizer([&] { without.model().fit(without.x_, without.y_, fit); }),
              HasSubstr("use_ema = false"));
  EXPECT_EQ(without.bias(), 0) << "before the first step";
}

TEST(WeightUpdate, ANormThatIsNotFiniteShowsInAllWeights) {
  Pulled pulled(SGD({.learning_rate = 1, .global_clipnorm = 1}));
  pulled.x_.data<float>()[0] = HUGE_VALF;
  EXPECT_TRUE(std::isnan(pulled.Step()));
}

TEST(Optimizers, TakeTheirRateInDoubleToo) {
  EXPECT_FLOAT_EQ(Adamax({.learning_rate = 2e-3}).learning_rate(), 0.002f);
  EXPECT_FLOAT_EQ(Optimizer("AdamW").state()->weight_decay, 0.004f);
}

TEST(Optimizers, SayWhatDoesNotGoTogether) {
  EXPECT_THAT(MisuseOfOptimizer([] { Adam({.clipnorm = 1, .clipvalue = 2}); }),
              HasSubstr("Adam: found clipnorm 1, clipvalue 2 and global_clipnorm 0, wanted one of the three"));
  EXPECT_THAT(MisuseOfOptimizer([] { SGD({.gradient_accumulation_steps = 1}); }),
              HasSubstr("SGD: gradient_accumulation_steps: found 1, wanted 2 or more"));
  EXPECT_THAT(MisuseOfOptimizer([] { SGD({.ema_overwrite_frequency = -1}); }),
              HasSubstr("ema_overwrite_frequency: found -1"));
  EXPECT_THAT(MisuseOfOptimizer([] { SGD({.ema_momentum = 1.5f}); }), HasSubstr("ema_momentum: found 1.5"));
  EXPECT_THAT(MisuseOfOptimizer([] { AdamW({.weight_decay = -1}); }), HasSubstr("AdamW: weight_decay: found -1"));
  EXPECT_THAT(MisuseOfOptimizer([] { Lion({.beta_1 = 0}); }), HasSubstr("Lion: beta_1: found 0, wanted above 0"));
  EXPECT_THAT(MisuseOfOptimizer([] { Ftrl({.learning_rate_power = 1}); }),
              HasSubstr("Ftrl: learning_rate_power: found 1"));
  EXPECT_THAT(MisuseOfOptimizer([] { Adafactor({.clip_threshold = 0}); }),
              HasSubstr("Adafactor: clip_threshold: found 0"));
  EXPECT_THAT(MisuseOfOptimizer([] { Optimizer("momentum"); }), HasSubstr("wanted one of sgd, rmsprop, adam, adamw"));
}

}  // namespace
}  // namespace headrace::keras
