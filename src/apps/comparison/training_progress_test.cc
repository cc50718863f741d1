#include "apps/comparison/training_progress.h"

#include <gtest/gtest.h>

namespace headrace::apps::comparison {
namespace {

TEST(TrainingProgress, EpochsEndWithTheirFullBar) {
  TrainingProgress progress;
  progress.Feed(500, "Using 2 threads");
  progress.Feed(1000, "Epoch 1/2");
  progress.Feed(1100, " 1/25 [>.............................] - ETA: 3s - loss: 3.1406 - accuracy: 0.0938");
  progress.Feed(
      3000, "25/25 [==============================] - 2s 66ms/step - loss: 2.8487 - accuracy: 0.1694 - val_loss: 7.5");
  progress.Feed(3001, "Epoch 2/2");
  progress.Feed(4001, "25/25 [==============================] - 1s 40ms/step - loss: 2.8");
  progress.Feed(6000, "25/25 [==============================] - 1s 1ms/step");  // an evaluation
  ASSERT_EQ(progress.epochs().size(), 2u);
  EXPECT_EQ(progress.epochs()[0].begin, 1000);
  EXPECT_EQ(progress.epochs()[0].end, 3000);
  EXPECT_EQ(progress.epochs()[0].steps, 25);
  EXPECT_DOUBLE_EQ(progress.epochs()[0].seconds_per_step, 0.066);
  EXPECT_EQ(progress.epochs()[1].end, 4001);
}

TEST(TrainingProgress, ALineThatWasRedrawnIsReadAsATerminalShowsIt) {
  TrainingProgress progress;
  progress.Feed(0, "Epoch 1/1\r");
  progress.Feed(900,
                "\b\b\r 1/25 [>...] - ETA: 3s\b\b\b\b\r25/25 [====] - 90us/step\b\b\b\r25/25 [====] - 0s 900us/step - "
                "loss: 1   ");
  EXPECT_EQ(progress.epochs().front().end, 900);
  EXPECT_DOUBLE_EQ(progress.epochs().front().seconds_per_step, 900e-6);
}

TEST(TrainingProgress, StepsOfWholeSecondsAreReadFromTheElapsedTime) {
  TrainingProgress progress;
  progress.Feed(0, "Epoch 1/1");
  progress.Feed(38000, "25/25 [====] - 38s 2s/step - loss: 1");
  EXPECT_DOUBLE_EQ(progress.epochs().front().seconds_per_step, 38.0 / 25);
}

TEST(TrainingProgress, WithoutBarsAnEpochEndsWhereTheNextBegins) {
  TrainingProgress progress;
  progress.Feed(0, "Epoch 1/2");
  progress.Feed(1900, " - 2s - loss: 1.5");
  progress.Feed(2000, "Epoch 2/2");
  progress.Feed(3900, " - 2s - loss: 1.5");
  ASSERT_EQ(progress.epochs().size(), 2u);
  EXPECT_EQ(progress.epochs()[0].end, 2000);
  EXPECT_EQ(progress.epochs()[0].steps, 0);
  EXPECT_EQ(progress.epochs()[1].end, std::nullopt);
}

TEST(TrainingProgress, OfRanksTheFirstCounts) {
  TrainingProgress progress;
  for (const char* line : {"[1,0]<stdout>:Epoch 1/1", "[1,1]<stdout>:Epoch 1/1", "[1,1]<stdout>:7/7 [=] - 0s 9ms/step"})
    progress.Feed(1, line);
  progress.Feed(5, "[1,0]<stdout>:8/8 [==] - 0s 2ms/step");
  ASSERT_EQ(progress.epochs().size(), 1u);
  EXPECT_EQ(progress.epochs()[0].steps, 8);
  EXPECT_EQ(progress.epochs()[0].end, 5);
}

TEST(TrainingProgress, OfRanksWithTheirHostsTheFirstCounts) {
  TrainingProgress progress;
  progress.Feed(1, "[1,mpirank:0,algo-1]<stdout>:Epoch 1/1");
  progress.Feed(2, "[1,mpirank:1,algo-2]<stdout>:Epoch 1/1");
  progress.Feed(3, "[1,mpirank:1,algo-2]<stdout>:7/7 [=] - 0s 9ms/step");
  progress.Feed(5, "[1,mpirank:0,algo-1]<stdout>:8/8 [==] - 0s 2ms/step");
  ASSERT_EQ(progress.epochs().size(), 1u);
  EXPECT_EQ(progress.epochs()[0].steps, 8);
  EXPECT_EQ(progress.epochs()[0].end, 5);
}

TEST(TrainingProgress, OtherLinesSayNothing) {
  TrainingProgress progress;
  for (const char* line :
       {"25/25 [====] - 2s 66ms/step", "Epoch", "Epoch one", "Epoch 1/2: val_loss improved", "", "\r", "\b",
        "Epoch -1/2", "[1,", "[1,0]", "[1,mpirank:", "[1,mpirank:0", "[1,mpirank:0,algo-1]", "99999999999999999999/1"})
    progress.Feed(0, line);
  EXPECT_TRUE(progress.epochs().empty());
  progress.Feed(0, "Epoch 1/2");
  for (const char* line : {"25/25", "0/0 [] - 0s 1ms/step", "25/26 [===>] - 2s 66ms/step", "25/25 [] - /step",
                           "25/25 [] - 2h/step", "25/25/step", "25/25 [] - 99999999999999999999ms/step"})
    progress.Feed(1, line);
  EXPECT_EQ(progress.epochs().front().end, std::nullopt);
}

}  // namespace
}  // namespace headrace::apps::comparison
