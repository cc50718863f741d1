// Our callbacks beside Keras's: testdata/keras_callbacks.json holds what Keras's did with the same options and logs.
#include "keras/callbacks/callbacks.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "base/testing/source_directory.h"
#include "base/testing/temporary_directory.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const json& Recorded() {
  static const json recorded =
      json::parse(std::ifstream(InSourceDirectory("src/keras/callbacks/testdata/keras_callbacks.json")));
  return recorded;
}

Logs LogsOf(const json& values) {
  Logs logs;
  for (const auto& [name, value] : values.items())
    logs.Set(name, std::strtod(value.get<std::string>().c_str(), nullptr));
  return logs;
}

Model MakeModel() {
  Sequential model(std::vector<Layer>{Dense(2, {.input_shape = {1}})}, {.seed = 1});
  model.compile(SGD({.learning_rate = 0.001f}), "categorical_crossentropy", {"accuracy"});
  return model;
}

CallbackPtr Make(const json& sequence, std::vector<std::string>& saved) {
  const json& o = sequence.at("options");
  const std::string kind = sequence.at("callback");
  if (kind == "EarlyStopping") {
    return EarlyStopping({.monitor = o.value("monitor", "val_loss"),
                          .min_delta = o.value("min_delta", 0.0),
                          .patience = o.value("patience", 0),
                          .verbose = o.value("verbose", 0),
                          .mode = o.value("mode", "auto"),
                          .restore_best_weights = o.value("restore_best_weights", false),
                          .start_from_epoch = o.value("start_from_epoch", 0)});
  }
  if (kind == "ReduceLROnPlateau") {
    return ReduceLROnPlateau({.monitor = o.value("monitor", "val_loss"),
                              .factor = o.value("factor", 0.1),
                              .patience = o.value("patience", 10),
                              .verbose = o.value("verbose", 0),
                              .cooldown = o.value("cooldown", 0),
                              .min_lr = o.value("min_lr", 0.0)});
  }
  return internal::ModelCheckpointWith(o.at("filepath"),
                                       {.monitor = o.value("monitor", "val_loss"),
                                        .verbose = o.value("verbose", 0),
                                        .save_best_only = o.value("save_best_only", false)},
                                       [&saved](const std::string& path) { saved.push_back(path); });
}

template <typename Function>
std::string Printed(Function function) {
  ::testing::internal::CaptureStdout();
  function();
  return ::testing::internal::GetCapturedStdout();
}

// One recorded sequence, played with a callback of ours.
class Player {
 public:
  explicit Player(const json& sequence) : sequence_(sequence), model_(MakeModel()) { Renew(); }

  // A new callback that knows what the old one wrote into a checkpoint.
  void Resume() {
    const std::string states = internal::CallbackStates({callback_});
    Renew();
    internal::RestoreCallbackStates(states, {callback_});
  }

  void Epoch(int epoch) {
    SCOPED_TRACE(epoch);
    const json& expected = sequence_.at("epochs").at(epoch);
    for (float& bias : Bias()) bias = static_cast<float>(epoch);
    saved_.clear();
    Logs logs = LogsOf(sequence_.at("logs").at(epoch));
    EXPECT_EQ(Printed([&] { callback_->on_epoch_end(epoch, logs); }), expected.at("printed"));
    EXPECT_EQ(json(saved_), expected.at("saved"));
    EXPECT_EQ(model_.stop_training, expected.at("stop").get<bool>());
    EXPECT_EQ(model_.optimizer().learning_rate(), expected.at("lr").get<float>());
    const json& lr = expected.at("lr_in_logs");
    EXPECT_EQ(logs.Find("learning_rate") != nullptr ? json(logs.At("learning_rate")) : json(), lr);
  }

  void End() {
    EXPECT_EQ(Printed([&] { callback_->on_train_end(); }), sequence_.at("printed_at_end"));
    EXPECT_EQ(Bias()[0], sequence_.at("weight_at_end").get<float>());
  }

 private:
  void Renew() {
    callback_ = Make(sequence_, saved_);
    callback_->set_model(&model_);
    callback_->on_train_begin();
  }

  std::array<std::reference_wrapper<float>, 2> Bias() {
    float* bias = model_.weights().at(1)->value.data<float>();
    return {bias[0], bias[1]};
  }

  const json& sequence_;
  Model model_;
  std::vector<std::string> saved_;
  CallbackPtr callback_;
};

class KerasSequences : public ::testing::TestWithParam<size_t> {
 protected:
  const json& sequence() const { return Recorded().at("sequences").at(GetParam()); }
  int epochs() const { return static_cast<int>(sequence().at("epochs").size()); }
};

TEST_P(KerasSequences, AreReproduced) {
  SCOPED_TRACE(sequence().at("options").dump());
  Player player(sequence());
  for (int epoch = 0; epoch < epochs(); ++epoch) player.Epoch(epoch);
  player.End();
}

TEST_P(KerasSequences, GoOnUnchangedAfterAResume) {
  if (sequence().at("options").contains("restore_best_weights")) return;  // weights are not part of the state
  SCOPED_TRACE(sequence().at("options").dump());
  for (int at = 1; at < epochs(); ++at) {
    SCOPED_TRACE(at);
    Player player(sequence());
    for (int epoch = 0; epoch < epochs(); ++epoch) {
      if (epoch == at) player.Resume();
      player.Epoch(epoch);
    }
    player.End();
  }
}

INSTANTIATE_TEST_SUITE_P(Callbacks, KerasSequences, ::testing::Range(size_t{0}, Recorded().at("sequences").size()),
                         [](const auto& info) {
                           return Recorded()["sequences"][info.param]["callback"].template get<std::string>() +
                                  std::to_string(info.param);
                         });

std::string ReadText(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(CsvLogger, WritesKerasFiles) {
  const TemporaryDirectory temporary;
  const fs::path path = temporary / "log.csv";
  for (const json& recorded : Recorded().at("csv")) {
    fs::remove(path);
    if (!recorded.at("before").is_null()) std::ofstream(path) << recorded.at("before").get<std::string>();
    const json& options = recorded.at("options");
    const auto callback = CSVLogger(path, {options.value("separator", ","), options.value("append", false)});
    callback->on_train_begin();
    for (int epoch = 0; epoch < static_cast<int>(recorded.at("logs").size()); ++epoch) {
      Logs logs = LogsOf(recorded.at("logs").at(epoch));
      callback->on_epoch_end(epoch, logs);
    }
    callback->on_train_end();
    EXPECT_EQ(ReadText(path), recorded.at("file").get<std::string>());
  }
}

TEST(CsvLogger, SaysWhichFileCannotBeWritten) {
  const auto callback = CSVLogger("/nowhere/log.csv");
  EXPECT_THROW(
      try { callback->on_train_begin(); } catch (const Error& error) {
        EXPECT_THAT(error.message(), ::testing::HasSubstr("/nowhere/log.csv"));
        throw;
      },
      Error);
}

TEST(ModelCheckpoint, MakesTheDirectory) {
  const TemporaryDirectory temporary;
  const fs::path directory = temporary.path();
  std::vector<std::string> saved;
  const auto callback = internal::ModelCheckpointWith((directory / "{epoch}" / "model.h5").string(), {},
                                                      [&](const std::string& path) { saved.push_back(path); });
  Logs logs;
  callback->on_epoch_end(6, logs);
  EXPECT_THAT(saved, ::testing::ElementsAre((directory / "7" / "model.h5").string()));
  EXPECT_TRUE(fs::is_directory(directory / "7"));
}

TEST(ReduceLROnPlateau, RefusesAFactorOfOne) {
  EXPECT_THROW(ReduceLROnPlateau({.factor = 1}), Error);
  EXPECT_THROW(ReduceLROnPlateau({.factor = std::nan("")}), Error);
}

TEST(Monitors, RefuseAnUnknownMode) {
  EXPECT_THROW(EarlyStopping({.mode = "maximum"}), Error);
  EXPECT_THROW(ModelCheckpoint("x.h5", {.mode = "best"}), Error);
}

TEST(TerminateOnNaN, StopsAtNanAndInf) {
  for (const double loss : {std::nan(""), HUGE_VAL}) {
    Model model = MakeModel();
    const auto callback = TerminateOnNaN();
    callback->set_model(&model);
    Logs logs;
    logs.Set("loss", 1e30);
    callback->on_train_batch_end(0, logs);
    EXPECT_FALSE(model.stop_training);
    logs.Set("loss", loss);
    EXPECT_EQ(Printed([&] { callback->on_train_batch_end(3, logs); }), "Batch 3: Invalid loss, terminating training\n");
    EXPECT_TRUE(model.stop_training);
  }
}

TEST(CallbackStates, FindTheirOwnersByTypeAndOrder) {
  const auto make = [](double best) {
    auto callback = internal::ModelCheckpointWith("x", {.save_best_only = true}, [](const std::string&) {});
    Logs logs;
    logs.Set("val_loss", best);
    callback->on_epoch_end(0, logs);
    return callback;
  };
  const std::vector<CallbackPtr> before = {make(1.0 / 3), LambdaCallback({}), make(HUGE_VAL)};
  const std::vector<CallbackPtr> after = {TerminateOnNaN(), make(7), make(8), make(9)};
  internal::RestoreCallbackStates(internal::CallbackStates(before), after);
  EXPECT_EQ(after[1]->state(), before[0]->state());
  EXPECT_EQ(after[2]->state(), before[2]->state());
  EXPECT_EQ(after[3]->state(), make(9)->state());
}

TEST(CallbackStates, SayThatTheyCannotBeRead) {
  for (const char* text : {"", "{", "[1]", R"([{"type": 1}])"}) {
    EXPECT_THROW(internal::RestoreCallbackStates(text, {}), Error) << text;
  }
}

Logs EpochLogs(double loss) {
  Logs logs;
  logs.Set("loss", loss);
  logs.Set("val_loss", 2 * loss);
  return logs;
}

// tests/tensorflow/test_tensorboard.py reads what this leaves in HEADRACE_TEST_DIRECTORY.
TEST(TensorBoard, WritesRunsForTrainingAndValidation) {
  const char* wanted = std::getenv("HEADRACE_TEST_DIRECTORY");
  const TemporaryDirectory temporary;
  const fs::path directory = wanted != nullptr ? wanted : temporary.path();
  Model model = MakeModel();
  const auto play = [&](int begin, int end, double offset) {
    const auto callback = TensorBoard(directory);
    callback->set_model(&model);
    callback->on_train_begin();
    for (int epoch = begin; epoch < end; ++epoch) {
      callback->on_epoch_begin(epoch);
      Logs logs = EpochLogs(epoch + offset);
      const auto size = [&] {
        uintmax_t bytes = 0;
        for (const auto& entry : fs::recursive_directory_iterator(directory)) {
          if (entry.is_regular_file()) bytes += entry.file_size();
        }
        return bytes;
      };
      const auto before = size();
      callback->on_epoch_end(epoch, logs);
      EXPECT_GT(size(), before) << "an epoch is there to be read as soon as it ended";
    }
    callback->on_train_end();
  };
  play(0, 4, 0.5);
  play(2, 5, 0.25);  // resumed: epochs 2 and 3 of the first run are void
  for (const char* run : {"train", "validation"}) {
    size_t files = 0;
    for (const auto& entry : fs::directory_iterator(directory / run)) {
      EXPECT_THAT(entry.path().filename().string(),
                  ::testing::MatchesRegex("events\\.out\\.tfevents\\.[0-9]+\\..*\\.v2"));
      ++files;
    }
    EXPECT_EQ(files, 2u);
  }
}

}  // namespace
}  // namespace headrace::keras
