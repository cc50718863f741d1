// GCC 12 takes the inside of std::regex for uninitialised under AddressSanitizer.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "keras/progress.h"

#include <cmath>
#include <limits>
#include <optional>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::keras::internal {
namespace {

const char kFinalLine[] =
    "156/156 [==============================] - 12s 77ms/step - loss: 1.5321 - accuracy: 0.4513 - val_loss: 1.2034 - "
    "val_accuracy: 0.5789";

Logs TrainLogs() {
  Logs logs;
  logs.Set("loss", 1.53214);
  logs.Set("accuracy", 0.45131);
  return logs;
}

Logs EpochLogs() {
  Logs logs = TrainLogs();
  logs.Set("val_loss", 1.20341);
  logs.Set("val_accuracy", 0.57894);
  return logs;
}

// A bar over a clock and an output of the test's own.
class Screen {
 public:
  Progbar Bar(int64_t target, int verbose, bool terminal) {
    return Progbar({.target = target,
                    .verbose = verbose,
                    .terminal = terminal,
                    .now = [this] { return time; },
                    .write = [this](const std::string& written) { text += written; }});
  }
  std::string Take() { return std::exchange(text, ""); }

  double time = 1000;
  std::string text;
};

TEST(Progbar, DrawsInPlaceOnATerminal) {
  Screen screen;
  Progbar bar = screen.Bar(156, 1, true);
  screen.time += 6;
  bar.Update(78, TrainLogs());
  const std::string running = " 78/156 [==============>...............] - ETA: 6s - loss: 1.5321 - accuracy: 0.4513";
  EXPECT_EQ(screen.Take(), "\r" + running);

  screen.time += 6;
  bar.Update(156, EpochLogs());
  EXPECT_EQ(screen.Take(), std::string(running.size(), '\b') + "\r" + kFinalLine + "\n");
}

TEST(Progbar, WipesWhatALongerTextLeftBehind) {
  Screen screen;
  Progbar bar = screen.Bar(2, 1, true);
  screen.time += 4000;
  bar.Update(1, EpochLogs());
  const size_t longer = screen.Take().size() - 1;  // without "\r"
  bar.Update(2, {});
  const std::string shorter = "2/2 [==============================] - 4000s 2000s/step";
  EXPECT_EQ(screen.Take(),
            std::string(longer, '\b') + "\r" + shorter + std::string(longer - shorter.size(), ' ') + "\n");
}

TEST(Progbar, SkipsUpdatesThatNobodyCouldSee) {
  Screen screen;
  Progbar bar = screen.Bar(10, 1, true);
  bar.Update(1, {});
  EXPECT_EQ(screen.Take(), "\r 1/10 [==>...........................] - ETA: 0s");
  screen.time += 0.04;
  bar.Update(2, {});
  EXPECT_EQ(screen.Take(), "");
  screen.time += 0.02;
  bar.Update(3, {});
  EXPECT_NE(screen.Take(), "");
  bar.Update(10, {});
  EXPECT_THAT(screen.Take(), ::testing::EndsWith("- 0s 6ms/step\n"));
}

TEST(Progbar, AFileGetsALineEveryFewSecondsAndTheLast) {
  Screen screen;
  Progbar bar = screen.Bar(156, 1, false);
  for (int step = 1; step < 156; ++step) {
    screen.time += 12.0 / 156;
    bar.Update(step, TrainLogs());
  }
  EXPECT_EQ(screen.Take(),
            " 65/156 [===========>..................] - ETA: 7s - loss: 1.5321 - accuracy: 0.4513\n"
            "130/156 [========================>.....] - ETA: 2s - loss: 1.5321 - accuracy: 0.4513\n");
  screen.time += 12.0 / 156;
  bar.Update(156, EpochLogs());
  EXPECT_EQ(screen.Take(), std::string(kFinalLine) + "\n");
}

TEST(Progbar, WithoutATargetCountsUntilToldTheLast) {
  Screen screen;
  Progbar bar = screen.Bar(0, 1, true);
  screen.time += 6;
  bar.Update(78, TrainLogs());
  EXPECT_EQ(screen.Take(), "\r     78/Unknown - 6s 77ms/step - loss: 1.5321 - accuracy: 0.4513");
  screen.time += 6;
  bar.Update(156, EpochLogs(), true);
  EXPECT_THAT(screen.Take(), ::testing::EndsWith(std::string(kFinalLine) + "\n"));
}

TEST(Progbar, VerboseTwoIsOneLineAnEpoch) {
  Screen screen;
  Progbar bar = screen.Bar(156, 2, true);
  screen.time += 12;
  bar.Update(155, TrainLogs());
  EXPECT_EQ(screen.Take(), "");
  bar.Update(156, EpochLogs());
  EXPECT_EQ(screen.Take(), " - 12s - loss: 1.5321 - accuracy: 0.4513 - val_loss: 1.2034 - val_accuracy: 0.5789\n");
}

TEST(Progbar, VerboseZeroIsSilent) {
  Screen screen;
  Progbar bar = screen.Bar(1, 0, true);
  bar.Update(1, TrainLogs());
  EXPECT_EQ(screen.Take(), "");
}

TEST(Progbar, EtaAndTimePerStepChangeTheirUnits) {
  const auto at = [](int64_t target, int64_t current, double elapsed) {
    Screen screen;
    Progbar bar = screen.Bar(target, 1, true);
    screen.time += elapsed;
    bar.Update(current, {});
    return screen.Take();
  };
  EXPECT_THAT(at(8000, 1, 1), ::testing::EndsWith(" - ETA: 2:13:19"));
  EXPECT_THAT(at(100, 1, 1), ::testing::EndsWith(" - ETA: 1:39"));
  EXPECT_THAT(at(61, 1, 1), ::testing::EndsWith(" - ETA: 60s"));
  EXPECT_THAT(at(2, 2, 5), ::testing::EndsWith(" - 5s 2s/step\n"));
  EXPECT_THAT(at(2, 2, 0.5), ::testing::EndsWith(" - 0s 250ms/step\n"));
  EXPECT_THAT(at(2, 2, 642e-6), ::testing::EndsWith(" - 0s 321us/step\n"));
}

TEST(Progbar, FormatsMetricsAsKerasDoes) {
  EXPECT_EQ(FormatMetric("loss", 2.302585), " - loss: 2.3026");
  EXPECT_EQ(FormatMetric("loss", 0), " - loss: 0.0000e+00");
  EXPECT_EQ(FormatMetric("lr", 0.001), " - lr: 1.0000e-03");
  EXPECT_EQ(FormatMetric("loss", -0.5), " - loss: -0.5000");
  EXPECT_EQ(FormatMetric("loss", -std::nan("")), " - loss: nan");
  EXPECT_EQ(FormatMetric("loss", std::numeric_limits<double>::infinity()), " - loss: inf");
}

// The metric definitions with which SageMaker's example notebook reads this text.
const std::vector<std::pair<std::string, std::string>>& NotebookRegexes() {
  static const std::vector<std::pair<std::string, std::string>> regexes = {
      {"train:loss", R"(.*loss: ([0-9\.]+) - accuracy: [0-9\.]+.*)"},
      {"train:accuracy", R"(.*loss: [0-9\.]+ - accuracy: ([0-9\.]+).*)"},
      {"validation:accuracy",
       R"(.*step - loss: [0-9\.]+ - accuracy: [0-9\.]+ - val_loss: [0-9\.]+ - val_accuracy: ([0-9\.]+).*)"},
      {"validation:loss",
       R"(.*step - loss: [0-9\.]+ - accuracy: [0-9\.]+ - val_loss: ([0-9\.]+) - val_accuracy: [0-9\.]+.*)"},
      {"sec/steps",
       R"(.* - \d+s (\d+)[mu]s/step - loss: [0-9\.]+ - accuracy: [0-9\.]+ - val_loss: [0-9\.]+ - val_accuracy: [0-9\.]+)"},
  };
  return regexes;
}

std::vector<std::string> Captures(const std::string& line) {
  std::vector<std::string> captures;
  for (const auto& [name, regex] : NotebookRegexes()) {
    std::smatch match;
    captures.push_back(std::regex_search(line, match, std::regex(regex)) ? match[1].str() : "");
  }
  return captures;
}

TEST(Progbar, TheNotebooksRegexesReadTheLines) {
  for (const bool with_lr : {false, true}) {
    Screen screen;
    Progbar bar = screen.Bar(156, 1, false);
    screen.time += 6;
    bar.Update(78, TrainLogs());
    EXPECT_THAT(Captures(screen.Take()), ::testing::ElementsAre("1.5321", "0.4513", "", "", ""));
    screen.time += 6;
    Logs logs = EpochLogs();
    if (with_lr) logs.Set("lr", 0.001);
    bar.Update(156, logs);
    EXPECT_THAT(Captures(screen.Take()), ::testing::ElementsAre("1.5321", "0.4513", "0.5789", "1.2034", "77"));
  }
}

}  // namespace
}  // namespace headrace::keras::internal
