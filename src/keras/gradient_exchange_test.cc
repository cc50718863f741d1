// What a model tells its GradientExchange, and what it does with the answers.
#include "keras/gradient_exchange.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/model_state.h"
#include "keras/optimizer_state.h"
#include "keras/packed.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using internal::FitPlan;
using internal::GradientExchange;
using tensor::testing::RandomTensor;
using testing::ElementsAre;
using testing::HasSubstr;

// One rank of `ranks`, all of which do the same.
class Recorder : public GradientExchange {
 public:
  explicit Recorder(int rank = 0, int size = 1) : rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  Tensor Connect(const std::vector<VariablePtr>& trainable) override {
    std::vector<Shape> shapes;
    for (const VariablePtr& variable : trainable) shapes.push_back(variable->value.shape());
    packed = internal::PackTensors(shapes);
    return packed.buffer;
  }
  void BeginTraining(const FitPlan& plan) override { plans.push_back(plan); }
  std::string OfFirstRank(const std::string& mine) override {
    said = mine;
    ++asked;
    return rank_ == 0 ? mine : of_first_rank;
  }
  void GradientReady(size_t variable) override {
    ready.push_back(variable);
    as_reported.push_back(packed.views[variable].Clone());
  }
  Outcome FinishStep(bool trained) override {
    trained_steps.push_back(trained);
    if (finish) return finish();
    return {.somebody_trained = trained, .gradients = packed.buffer.data<float>()};
  }
  void Gather(const float* mine, int64_t count, float* all) override {
    for (int rank = 0; rank < size_; ++rank) std::copy_n(mine, count, all + rank * count);
  }
  bool AnyStops(bool stop) override {
    ++epochs_ended;
    return stop || others_stop;
  }
  void Abort(const std::string& text) noexcept override { aborts.push_back(text); }

  internal::PackedTensors packed;
  int epochs_ended = 0;
  std::vector<FitPlan> plans;
  std::string said, of_first_rank;
  int asked = 0;
  std::vector<size_t> ready;
  std::vector<Tensor> as_reported;
  std::vector<bool> trained_steps;
  std::vector<std::string> aborts;
  std::function<Outcome()> finish;
  bool others_stop = false;

 private:
  int rank_, size_;
};

Optimizer Distributed(Optimizer optimizer, const std::shared_ptr<GradientExchange>& exchange) {
  if (exchange) optimizer.state()->distribute = [exchange] { return exchange; };
  return optimizer;
}

constexpr int64_t kRows = 4, kClasses = 3;
Tensor Images() { return RandomTensor(DType::kFloat32, {kRows, 6, 5, 3}, 1); }
Tensor Labels() {
  Tensor y = Tensor::Zeros(DType::kFloat32, {kRows, kClasses});
  for (int64_t row = 0; row < kRows; ++row) y.data<float>()[row * kClasses + row % kClasses] = 1;
  return y;
}

Model Compiled(const KerasTensor& input, const KerasTensor& output, const std::shared_ptr<GradientExchange>& exchange,
               Optimizer optimizer = SGD({.learning_rate = 0.1f})) {
  Model model(input, output, {.seed = 3});
  model.compile(Distributed(std::move(optimizer), exchange), "categorical_crossentropy", {"accuracy"},
                {.conv_algorithms = "direct"});
  return model;
}

// Convolution, BatchNormalization and ReLU that are fused, `calls` times the same ones, and a Dense layer.
Model Cnn(int calls, const std::shared_ptr<GradientExchange>& exchange, bool synchronized = false) {
  const Conv2D conv(3, {3, 3}, {.padding = "same"});
  const BatchNormalization norm({.synchronized = synchronized});
  const KerasTensor image = Input({6, 5, 3});
  KerasTensor value = image;
  for (int call = 0; call < calls; ++call) value = Activation("relu")(norm(conv(value)));
  return Compiled(image, Dense(kClasses, {.activation = "softmax"})(GlobalAveragePooling2D()(value)), exchange);
}

void ExpectEqual(const Tensor& found, const Tensor& wanted, const std::string& what) {
  ASSERT_EQ(found.size(), wanted.size());
  for (int64_t i = 0; i < found.size(); ++i)
    ASSERT_EQ(found.data<float>()[i], wanted.data<float>()[i]) << what << ", element " << i;
}

TEST(GradientExchange, HearsOfEveryGradientOnceAndBehindItsLastContribution) {
  for (const int calls : {1, 2, 3}) {
    const auto exchange = std::make_shared<Recorder>();
    Model model = Cnn(calls, exchange);
    model.train_on_batch(Images(), Labels());
    EXPECT_THAT(exchange->ready, testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5));
    for (size_t i = 0; i < exchange->ready.size(); ++i)
      ExpectEqual(exchange->as_reported[i], exchange->packed.views[exchange->ready[i]],
                  "variable " + std::to_string(exchange->ready[i]));
  }
}

TEST(GradientExchange, HearsOfThemInTheSameOrderInEveryStepAndInStepsWithoutABatch) {
  const auto exchange = std::make_shared<Recorder>();
  Model model = Cnn(2, exchange);
  internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
  engine.TrainBatch(Images(), Labels());
  const auto order = std::exchange(exchange->ready, {});
  engine.TrainBatch(Images().Slice(0, 2), Labels().Slice(0, 2));
  EXPECT_EQ(std::exchange(exchange->ready, {}), order) << "of a batch of another size";
  exchange->as_reported.clear();
  EXPECT_FALSE(engine.TrainWithoutBatch());
  EXPECT_EQ(exchange->ready, order);
  for (const Tensor& gradient : exchange->as_reported)
    ExpectEqual(gradient, Tensor::Zeros(DType::kFloat32, gradient.shape()), "without a batch");
  EXPECT_THAT(exchange->trained_steps, ElementsAre(true, true, false));
}

// Each of two implementations of a convolution's forward pass that rank 0 may have chosen is taken over.
TEST(GradientExchange, GivesTheOtherRanksTheImplementationsThatRankZeroChose) {
  const auto image = Input({6, 5, 3});
  const auto value = Conv2D(3, {3, 3}, {.padding = "same"})(image);
  const auto scores = Dense(kClasses, {.activation = "softmax"})(GlobalAveragePooling2D()(value));
  const auto first = std::make_shared<Recorder>(0, 2);
  Model chooses = Compiled(image, scores, first);
  chooses.train_on_batch(Images(), Labels());
  const std::string chosen = chooses.algorithms();
  EXPECT_EQ(first->said, chosen);
  const size_t begin = chosen.find("forward "), name = chosen.find('=', begin) + 1, end = chosen.find(';', name);
  ASSERT_NE(begin, std::string::npos) << chosen;
  int followed = 0;
  for (const auto& kernel : tensor::MakeOneDnnBackend()->ConvForwards({.n = kRows,
                            .h = 6,
                            .w = 5,
                            .c = 3,
                            .kh = 3,
                            .kw = 3,
                            .f = 3,
                            .pad_top = 1,
                            .pad_bottom = 1,
                            .pad_left = 1,
                            .pad_right = 1})) {
    const auto other = std::make_shared<Recorder>(1, 2);
    other->of_first_rank = chosen.substr(0, name) + kernel->name() + chosen.substr(end);
    Model follows(image, scores, {.seed = 3});
    follows.compile(Distributed(SGD(), other), "categorical_crossentropy");
    follows.train_on_batch(Images(), Labels());
    EXPECT_EQ(follows.algorithms(), other->of_first_rank);
    ++followed;
  }
  EXPECT_GE(followed, 2);
}

// The other ranks wait for this one's question, in whatever step it takes part first.
TEST(GradientExchange, IsAskedForThemOnceAlsoWhereTheFirstStepHasNoBatch) {
  for (const bool batch_first : {true, false}) {
    const auto exchange = std::make_shared<Recorder>(0, 2);
    Model model = Cnn(1, exchange);
    internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
    for (const bool with_batch : {batch_first, !batch_first, true}) {
      if (with_batch)
        engine.TrainBatch(Images(), Labels());
      else
        engine.TrainWithoutBatch();
      EXPECT_EQ(exchange->asked, 1);
    }
  }
}

TEST(GradientExchange, DecidesWhatTheOptimizerApplies) {
  const auto exchange = std::make_shared<Recorder>();
  const KerasTensor input = Input({2});
  Model model = Compiled(input, Dense(2, {.activation = "softmax", .use_bias = false})(input), exchange,
                         SGD({.learning_rate = 1}));
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 2}, {1, 2}),
               y = Tensor::FromVector(std::vector<float>{1, 0}, {1, 2});
  const Tensor before = model.weights()[0]->value.Clone();

  exchange->finish = [] { return GradientExchange::Outcome{}; };  // kept for later
  model.train_on_batch(x, y);
  ExpectEqual(model.weights()[0]->value, before, "gradients that are kept");
  EXPECT_EQ(model.optimizer().iterations(), 1) << "as Horovod counts";

  std::vector<float> others(16, 0);
  others[3] = 0.5f;
  exchange->finish = [&] { return GradientExchange::Outcome{.gradients = others.data()}; };
  model.train_on_batch(x, y);
  Tensor wanted = before.Clone();
  wanted.data<float>()[3] -= 0.5f;
  ExpectEqual(model.weights()[0]->value, wanted, "gradients of others");

  exchange->finish = [] { return GradientExchange::Outcome{.somebody_trained = false}; };
  model.train_on_batch(x, y);
  EXPECT_EQ(model.optimizer().iterations(), 2);
}

TEST(GradientExchange, OutlivesTheEngineAndGoesWithTheCompiledModel) {
  const auto exchange = std::make_shared<Recorder>();
  Model model = Cnn(1, exchange);
  model.train_on_batch(Images(), Labels());
  EXPECT_EQ(model.state().exchange(), exchange.get());
  model.state().engine.reset();
  model.train_on_batch(Images(), Labels());
  EXPECT_EQ(exchange->trained_steps.size(), 2u);
  model.compile(SGD(), "categorical_crossentropy");
  EXPECT_EQ(model.state().exchange(), nullptr);
}

TEST(GradientExchange, IsAskedNoMoreWhenACallbackCompilesTheModelAgain) {
  const auto exchange = std::make_shared<Recorder>();
  Model model = Cnn(1, exchange);
  const auto compile = LambdaCallback({.on_epoch_begin = [&](int epoch) {
    if (epoch == 1) model.compile(SGD(), "categorical_crossentropy");
  }});
  model.fit(Images(), Labels(), {.epochs = 3, .callbacks = {compile}, .verbose = 0});
  EXPECT_EQ(exchange->epochs_ended, 1);
  EXPECT_EQ(model.state().exchange(), nullptr);
}

TEST(GradientExchange, OfARankAloneChangesNoBit) {
  Model alone = Cnn(1, nullptr), together = Cnn(1, std::make_shared<Recorder>()),
        synchronized = Cnn(1, std::make_shared<Recorder>(), true);
  for (int step = 0; step < 3; ++step)
    for (Model* model : {&alone, &together, &synchronized}) model->train_on_batch(Images(), Labels());
  for (size_t i = 0; i < alone.weights().size(); ++i) {
    ExpectEqual(together.weights()[i]->value, alone.weights()[i]->value, alone.weights()[i]->name);
    for (int64_t k = 0; k < alone.weights()[i]->value.size(); ++k)
      EXPECT_NEAR(synchronized.weights()[i]->value.data<float>()[k], alone.weights()[i]->value.data<float>()[k], 1e-6);
  }
}

// Two ranks that see the same rows: moments and means of gradients are those of one.
TEST(GradientExchange, GathersTheStatisticsOfASynchronizedBatchNormalization) {
  Model alone = Cnn(2, nullptr), two = Cnn(2, std::make_shared<Recorder>(1, 2), true);
  for (int step = 0; step < 3; ++step)
    for (Model* model : {&alone, &two}) model->train_on_batch(Images(), Labels());
  for (size_t i = 0; i < alone.weights().size(); ++i)
    for (int64_t k = 0; k < alone.weights()[i]->value.size(); ++k)
      EXPECT_NEAR(two.weights()[i]->value.data<float>()[k], alone.weights()[i]->value.data<float>()[k], 1e-5)
          << alone.weights()[i]->name;
}

TEST(GradientExchange, LearnsWhatFitIsAskedForAndEndsItForAll) {
  const auto exchange = std::make_shared<Recorder>(1, 2);
  Model model = Cnn(1, exchange);
  const auto data = data::Dataset::FromTensors(Images(), Labels()).batch(2);
  exchange->others_stop = true;
  testing::internal::CaptureStdout();
  const History history = model.fit(data.repeat(), {.epochs = 3, .steps_per_epoch = 2});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "") << "only rank 0 prints";
  EXPECT_EQ(history.epoch.size(), 1u) << "another rank stopped";
  ASSERT_EQ(exchange->plans.size(), 1u);
  EXPECT_EQ(exchange->plans[0].epochs, 3);
  EXPECT_EQ(exchange->plans[0].steps_per_epoch, 2);
  EXPECT_THAT(exchange->trained_steps, ElementsAre(true, true, false));
}

TEST(GradientExchange, IsToldWhyTrainingEnds) {
  const auto exchange = std::make_shared<Recorder>();
  Model model = Cnn(1, exchange);
  const auto failing = LambdaCallback(
      {.on_train_batch_end = [](int, Logs&) { throw Error(ErrorCode::kDataLoss, "record 7 is corrupt"); }});
  const auto data = data::Dataset::FromTensors(Images(), Labels()).batch(2);
  EXPECT_THROW(model.fit(data, {.callbacks = {failing}, .verbose = 0}), Error);
  EXPECT_THAT(exchange->aborts, ElementsAre("record 7 is corrupt"));
  EXPECT_THROW(model.train_on_batch(Images(), Images()), Error);
  ASSERT_EQ(exchange->aborts.size(), 2u);
  EXPECT_THAT(exchange->aborts[1], HasSubstr("targets"));
}

}  // namespace
}  // namespace headrace::keras
