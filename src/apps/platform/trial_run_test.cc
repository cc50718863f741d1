#include "apps/platform/trial_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::apps {
namespace {

TEST(TrialRunTest, TellsWhetherACommandWorksAndWhatItSaid) {
  const TrialRun trial(false);
  ASSERT_TRUE(trial.Write("a", "text"));
  EXPECT_TRUE(trial.Shell("test $(cat a) = text", {}).worked);
  const TrialOutcome failed = trial.Shell("echo first >&2; echo last >&2; exit 3", {});
  EXPECT_FALSE(failed.worked);
  EXPECT_EQ(failed.said, "last");
}

TEST(TrialRunTest, ALongOutputHoldsNothingUp) {
  const TrialRun trial(false);
  EXPECT_TRUE(trial.Shell("yes | head -c 1000000; yes | head -c 1000000 >&2", {}).worked);
}

}  // namespace
}  // namespace headrace::apps
