#include "base/settled_clock.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

constexpr int64_t kHour = 3'600'000, kDay = 24 * kHour;

class SettledClockTest : public testing::Test {
 protected:
  void Pass(int64_t millis) {
    wall_.Advance(millis);
    steady_.Advance(millis);
  }
  ManualClock wall_{1000 * kDay}, steady_{5};
  const SettledClock clock_{wall_, steady_, 2 * kHour};
};

TEST_F(SettledClockTest, FollowsAClockThatNobodySets) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(clock_.Now(), wall_.Now());
    Pass(30 * kDay);
    wall_.Advance(500);  // disciplined
  }
}

TEST_F(SettledClockTest, AStepForwardIsBelievedOnceItHasLasted) {
  const auto before = clock_.Now();
  wall_.Advance(500 * kDay);
  EXPECT_EQ(clock_.Now(), before);
  Pass(kHour);
  EXPECT_EQ(clock_.Now(), before + kHour);
  Pass(kHour);
  EXPECT_EQ(clock_.Now(), wall_.Now());
}

TEST_F(SettledClockTest, AStepThatIsTakenBackWasNone) {
  const auto before = clock_.Now();
  wall_.Advance(500 * kDay);
  EXPECT_EQ(clock_.Now(), before);
  Pass(kHour);
  wall_.Advance(-500 * kDay);
  EXPECT_EQ(clock_.Now(), wall_.Now());
  wall_.Advance(500 * kDay);  // and the next one is on trial from its own beginning
  EXPECT_EQ(clock_.Now(), before + kHour);
  Pass(kHour);
  wall_.Advance(kDay);  // another one
  EXPECT_EQ(clock_.Now(), before + 2 * kHour);
  Pass(kHour);
  EXPECT_EQ(clock_.Now(), before + 3 * kHour);
  Pass(kHour);
  EXPECT_EQ(clock_.Now(), wall_.Now());
}

TEST_F(SettledClockTest, AStepBackIsBelievedAtOnce) {
  clock_.Now();
  wall_.Advance(-500 * kDay);
  EXPECT_EQ(clock_.Now(), wall_.Now());
}

}  // namespace
}  // namespace headrace
