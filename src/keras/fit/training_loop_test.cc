#include "keras/fit/training_loop.h"

#include <cmath>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keras/callbacks/callbacks.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Rows whose x is the loss that the fake model gives them.
data::Dataset Losses(const std::vector<float>& losses, int64_t batch_size) {
  const Tensor x = Tensor::FromVector(losses, {static_cast<int64_t>(losses.size())});
  return data::Dataset::FromTensors(x, x).batch(batch_size);
}

// Loss: the sum of x; correct: the rows below 1.
BatchResult Score(const data::Element& batch) {
  const Tensor& x = batch.x();
  BatchResult result{.rows = x.dim(0), .metrics = {{.weight = static_cast<double>(x.dim(0))}}};
  for (int64_t i = 0; i < x.dim(0); ++i) {
    const float loss = x.data<float>()[i];
    result.loss += loss;
    result.metrics[0].sum += loss < 1 ? 1 : 0;
  }
  return result;
}

// Writes down every call, and adds to the epoch's logs.
class Recorder : public Callback {
 public:
  Recorder(std::string name, std::vector<std::string>& calls) : name_(std::move(name)), calls_(calls) {}
  void on_train_begin() override { Say("train_begin"); }
  void on_train_end() override { Say("train_end"); }
  void on_epoch_begin(int epoch) override { Say(fmt::format("epoch_begin {}", epoch)); }
  void on_epoch_end(int epoch, Logs& logs) override {
    std::string names;
    for (const auto& [name, value] : logs) names += " " + name;
    Say(fmt::format("epoch_end {}:{}", epoch, names));
    logs.Set("by_" + name_, epoch);
  }
  void on_train_batch_begin(int batch) override { Say(fmt::format("batch_begin {}", batch)); }
  void on_train_batch_end(int batch, Logs& logs) override {
    Say(fmt::format("batch_end {}: {}", batch, logs.At("loss")));
  }

 private:
  void Say(const std::string& what) { calls_.push_back(name_ + " " + what); }
  const std::string name_;
  std::vector<std::string>& calls_;
};

const LogColumns kAccuracy = {{}, {{"accuracy", MakeMean}}};

// A training over fakes, with a screen that the test reads.
struct Fixture {
  explicit Fixture(BatchStream* data, BatchStream* validation = nullptr) {
    training = {
        .train = Score, .test = Score, .columns = kAccuracy, .data = data, .validation = validation, .stop = &stop};
    display = {.terminal = false,
               .now = [this] { return time += tick; },
               .write = [this](const std::string& text) { screen += text; },
               .warn = [this](const std::string& text) { warnings.push_back(text); }};
  }
  Fixture(const Fixture&) = delete;

  History Run() { return RunTraining(training, display); }

  Training training;
  Display display;
  bool stop = true;  // left by an earlier fit()
  double time = 0, tick = 0.001;
  std::string screen;
  std::vector<std::string> warnings;
};

TEST(TrainingLoop, MeansAreWeightedByRows) {
  BatchStream data("data", Losses({0.5, 1.5, 4}, 2), 0);
  BatchStream validation("data", Losses({0, 0, 3, 5}, 3), 0);
  Fixture fixture(&data, &validation);
  fixture.training.epochs = 2;
  const History history = fixture.Run();
  EXPECT_THAT(history.epoch, ElementsAre(0, 1));
  EXPECT_THAT(history["loss"], ElementsAre(2, 2));
  EXPECT_THAT(history["accuracy"], ElementsAre(DoubleEq(1.0 / 3), DoubleEq(1.0 / 3)));
  EXPECT_THAT(history["val_loss"], ElementsAre(2, 2));
  EXPECT_THAT(history["val_accuracy"], ElementsAre(0.5, 0.5));
}

TEST(TrainingLoop, CallbacksAreCalledInOrderAndShareLogs) {
  BatchStream data("data", Losses({1, 3}, 1), 0), validation("data", Losses({1}, 1), 0);
  Fixture fixture(&data, &validation);
  std::vector<std::string> calls;
  fixture.training.callbacks = {std::make_shared<Recorder>("a", calls), std::make_shared<Recorder>("b", calls)};
  fixture.training.initial_epoch = 3;
  fixture.training.epochs = 4;
  const History history = fixture.Run();
  EXPECT_THAT(calls, ElementsAre("a train_begin", "b train_begin", "a epoch_begin 3", "b epoch_begin 3",  //
                                 "a batch_begin 0", "b batch_begin 0", "a batch_end 0: 1", "b batch_end 0: 1",
                                 "a batch_begin 1", "b batch_begin 1", "a batch_end 1: 2", "b batch_end 1: 2",
                                 "a epoch_end 3: loss accuracy val_loss val_accuracy",
                                 "b epoch_end 3: loss accuracy val_loss val_accuracy by_a",  //
                                 "a train_end", "b train_end"));
  EXPECT_THAT(history.epoch, ElementsAre(3));
  EXPECT_THAT(history["by_b"], ElementsAre(3));
}

// What a checkpoint of this name makes of a training that validates: the paths it saves to, or the error, and how many
// epochs had ended by then.
struct NamedCheckpoint {
  explicit NamedCheckpoint(const std::string& name, std::vector<CallbackPtr> callbacks = {}, bool validates = true) {
    BatchStream data("data", Losses({0.5, 1.5}, 1), 0), validation("data", Losses({2, 3}, 1), 0);
    Fixture fixture(&data, validates ? &validation : nullptr);
    fixture.training.callbacks = std::move(callbacks);
    fixture.training.callbacks.push_back(
        ModelCheckpointWith(name, {}, [this](const std::string& path) { saved.push_back(path); }));
    ::testing::internal::CaptureStderr();
    try {
      epochs = fixture.Run().epoch.size();
    } catch (const Error& thrown) {
      error = thrown.message();
      trained = fixture.screen != "";
    }
    said = ::testing::internal::GetCapturedStderr();
  }
  std::vector<std::string> saved;
  std::string error, said;
  size_t epochs = 0;
  bool trained = true;  // an epoch had begun
};

TEST(TrainingLoop, AnUnknownFieldOfACheckpointsNameIsFoundBeforeTheFirstStep) {
  const NamedCheckpoint wrong("{epoch:02d}-{val_los:.2f}.h5", {EarlyStopping(), TensorBoard("/nowhere")});
  EXPECT_EQ(
      wrong.error,
      "path \"{epoch:02d}-{val_los:.2f}.h5\", field {val_los:.2f}: unknown field {val_los}; there is: epoch, loss, "
      "accuracy, val_loss, val_accuracy");
  EXPECT_FALSE(wrong.trained);
  const NamedCheckpoint unvalidated("{val_loss}.h5", {}, false);
  EXPECT_THAT(unvalidated.error, HasSubstr("unknown field {val_loss}; there is: epoch, loss, accuracy"));
  EXPECT_FALSE(unvalidated.trained);
}

TEST(TrainingLoop, ACheckpointsNameMayHoldWhatCallbacksAdd) {
  const NamedCheckpoint known("{val_accuracy:.1f}-{loss:.1f}.h5");
  EXPECT_THAT(known.saved, ElementsAre("0.0-1.0.h5"));
  EXPECT_EQ(known.said, "");
  // Whatever a callback of the user's adds: it is told that it has to, and how it ends where it does not.
  std::vector<std::string> calls;
  const NamedCheckpoint own("{by_a:.0f}-{added:.1f}.h5",
                            {std::make_shared<Recorder>("a", calls),
                             LambdaCallback({.on_epoch_end = [](int, Logs& logs) { logs.Set("added", 7); }})});
  EXPECT_THAT(own.saved, ElementsAre("0-7.0.h5"));
  EXPECT_THAT(own.said, HasSubstr("the field {added}, which nothing but a callback of your own can put into the logs"));
  const NamedCheckpoint forgotten("{added:.1f}.h5", {std::make_shared<Recorder>("a", calls)});
  EXPECT_THAT(forgotten.error,
              HasSubstr("unknown field {added}; there is: epoch, loss, accuracy, val_loss, val_accuracy, by_a"));
  EXPECT_TRUE(forgotten.trained);
  // A lambda for batches adds nothing to an epoch's logs.
  EXPECT_FALSE(NamedCheckpoint("{added}.h5", {LambdaCallback({.on_train_batch_end = [](int, Logs&) {}})}).trained);
}

TEST(TrainingLoop, AMonitorOfNothingIsToldBeforeTheFirstStep) {
  BatchStream data("data", Losses({1}, 1), 0);
  Fixture fixture(&data);
  fixture.training.epochs = 0;
  fixture.training.callbacks = {EarlyStopping({.monitor = "los"}), TerminateOnNaN()};
  ::testing::internal::CaptureStderr();
  fixture.Run();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("EarlyStopping: monitors \"los\", which is not there; available: loss, accuracy"));
}

TEST(TrainingLoop, ShowsKerasText) {
  BatchStream data("data", Losses({0.5, 1.5}, 1), 0), validation("data", Losses({2, 3}, 1), 0);
  Fixture fixture(&data, &validation);
  fixture.tick = 0.0008;  // five readings of the clock an epoch
  fixture.training.epochs = 2;
  fixture.training.callbacks = {LambdaCallback({.on_epoch_end = [](int, Logs& logs) { logs.Set("lr", 1e-3); }})};
  fixture.Run();
  const std::string line =
      "2/2 [==============================] - 0s 2ms/step - loss: 1.0000 - accuracy: 0.5000 - val_loss: 2.5000 - "
      "val_accuracy: 0.0000e+00 - lr: 1.0000e-03\n";
  EXPECT_EQ(fixture.screen, "Epoch 1/2\n" + line + "Epoch 2/2\n" + line);
}

TEST(TrainingLoop, RedrawsOnATerminalUntilTheEpochIsComplete) {
  BatchStream data("data", Losses({1, 1, 1}, 1), 0);
  Fixture fixture(&data);
  fixture.display.terminal = true;
  fixture.display.now = [&fixture] { return fixture.time += 1; };
  fixture.Run();
  EXPECT_THAT(fixture.screen, HasSubstr("\r1/3 [=========>....................] - ETA: 2s"));
  EXPECT_THAT(fixture.screen, HasSubstr("\r2/3 ["));
  EXPECT_EQ(std::count(fixture.screen.begin(), fixture.screen.end(), '\n'), 2);
}

TEST(TrainingLoop, AnUnknownNumberOfStepsIsKnownFromTheSecondEpochOn) {
  auto generator = [] {
    return [left = 3]() mutable -> std::optional<data::Element> {
      if (left-- == 0) return std::nullopt;
      return data::Element(Tensor::FromVector(std::vector<float>{1}, {1}), Tensor::Zeros(DType::kFloat32, {1}));
    };
  };
  BatchStream data("data", data::Dataset::FromGenerator(generator), 0);
  Fixture fixture(&data);
  fixture.display.terminal = true;
  fixture.display.now = [&fixture] { return fixture.time += 1; };
  fixture.training.epochs = 2;
  fixture.Run();
  EXPECT_THAT(fixture.screen, HasSubstr("      2/Unknown - "));
  EXPECT_THAT(fixture.screen, HasSubstr("2/3 [===================>"));
}

TEST(TrainingLoop, StopsAfterTheBatchThatAskedForIt) {
  BatchStream data("data", Losses({1, 2, 3}, 1), 0), validation("data", Losses({7}, 1), 0);
  Fixture fixture(&data, &validation);
  fixture.training.epochs = 5;
  fixture.training.callbacks = {
      LambdaCallback({.on_train_batch_end = [&](int batch, Logs&) { fixture.stop = batch == 1; }})};
  const History history = fixture.Run();
  EXPECT_THAT(history["loss"], ElementsAre(1.5));
  EXPECT_THAT(history["val_loss"], ElementsAre(7)) << "the epoch is finished nevertheless";
}

TEST(TrainingLoop, WarnsOnceAboutALossThatIsNotFinite) {
  BatchStream data("data", Losses({1, std::nanf(""), std::nanf("")}, 1), 0);
  Fixture fixture(&data);
  fixture.training.epochs = 2;
  const History history = fixture.Run();
  ASSERT_EQ(fixture.warnings.size(), 1u);
  EXPECT_THAT(fixture.warnings[0], HasSubstr("loss is nan in epoch 1, batch 2"));
  EXPECT_EQ(history.epoch.size(), 2u);
}

TEST(TrainingLoop, DataThatEndsEarlyEndsTheTraining) {
  BatchStream data("data", Losses({1, 2, 3}, 1), 2);
  Fixture fixture(&data);
  fixture.training.epochs = 5;
  const History history = fixture.Run();
  EXPECT_THAT(history["loss"], ElementsAre(1.5, 3));
  ASSERT_EQ(fixture.warnings.size(), 1u);
  EXPECT_THAT(fixture.warnings[0], HasSubstr("the data ended in epoch 2 after 1 of 2 batches"));
}

TEST(TrainingLoop, ValidationStartsAnewEveryEpoch) {
  BatchStream data("data", Losses({1}, 1), 0), validation("data", Losses({1, 2, 3, 4}, 1).repeat(), 2);
  Fixture fixture(&data, &validation);
  fixture.training.epochs = 2;
  EXPECT_THAT(fixture.Run()["val_loss"], ElementsAre(1.5, 1.5));
}

TEST(TrainingLoop, CallbacksGetTheirStatesBackBehindTrainBegin) {
  struct Stateful : Callback {
    std::string value = "new";
    void on_train_begin() override { value = "begun"; }
    std::string state() const override { return value; }
    void restore_state(const std::string& state) override { value = state; }
  };
  const auto callback = std::make_shared<Stateful>();
  callback->value = "kept";
  BatchStream data("data", Losses({1}, 1), 0);
  Fixture fixture(&data);
  fixture.training.callbacks = {callback};
  fixture.training.callback_states = CallbackStates({callback});
  fixture.Run();
  EXPECT_EQ(callback->value, "kept");
}

TEST(EvaluationLoop, ShowsAndReturnsMeans) {
  BatchStream data("data", Losses({0.5, 1.5, 4}, 2), 0);
  Fixture fixture(&data);
  Logs logs;
  RunEvaluation({Score, kAccuracy, 1, &data}, fixture.display, logs);
  EXPECT_EQ(logs.At("loss"), 2);
  EXPECT_EQ(fixture.screen, "2/2 [==============================] - 0s 1ms/step - loss: 2.0000 - accuracy: 0.3333\n");
}

}  // namespace
}  // namespace headrace::keras::internal
