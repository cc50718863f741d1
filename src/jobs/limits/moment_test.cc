#include "jobs/limits/moment.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(MomentTest, AStepOfTheWallsClockMovesNoDeadline) {
  const Moment start{1'000'000, "boot-1", 500};
  const Moment deadline = start.After(10'000);
  EXPECT_FALSE(HasCome(deadline, {9'000'000, "boot-1", 10'499}));  // set forward
  EXPECT_TRUE(HasCome(deadline, {1'000, "boot-1", 10'500}));       // set back
}

TEST(MomentTest, AfterARestartOfTheMachineTheWallsClockDecides) {
  const Moment deadline = Moment{1'000'000, "boot-1", 500'000}.After(10'000);
  EXPECT_FALSE(HasCome(deadline, {1'009'999, "boot-2", 900'000}));
  EXPECT_TRUE(HasCome(deadline, {1'010'000, "boot-2", 20}));
}

TEST(MomentTest, NoDeadlineNeverComes) { EXPECT_FALSE(HasCome({}, Moment::Now())); }

TEST(MomentTest, NowIsOnBothClocks) {
  const auto now = Moment::Now();
  EXPECT_GT(now.wall, 0);
  EXPECT_GT(now.since_boot, 0);
  EXPECT_FALSE(now.boot.empty());
}

}  // namespace
}  // namespace headrace::jobs
