#include "apps/commands/step_display.h"

#include <gtest/gtest.h>

namespace headrace::apps {
namespace {

TEST(StepDisplay, RedrawsOnATerminalOnlyWhatChanged) {
  std::string text;
  StepDisplay display(true, [&](const std::string& written) { text += written; });
  display.Show("writing train", 1, 2);
  EXPECT_EQ(text, "\rwriting train        [===============...............]  50 %\x1b[K");
  text.clear();
  display.Show("writing train", 1, 2);
  EXPECT_EQ(text, "");
  display.Show("writing train", 2, 2);
  EXPECT_EQ(text, "\rwriting train        [==============================] 100 %\x1b[K\n");
  text.clear();
  display.Show("downloading", 7, 0);
  EXPECT_EQ(text, "\rdownloading: 7\x1b[K");
}

TEST(StepDisplay, ALogGetsFinishedStepsOnly) {
  std::string text;
  StepDisplay display(false, [&](const std::string& written) { text += written; });
  display.Show("writing train", 1, 2);
  display.Show("writing train", 2, 2);
  EXPECT_EQ(text, "writing train: done\n");
}

}  // namespace
}  // namespace headrace::apps
