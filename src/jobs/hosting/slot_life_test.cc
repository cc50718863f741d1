#include "jobs/hosting/slot_life.h"

#include <string>

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using enum SlotState;
using enum SlotEvent;

constexpr SlotState kStates[] = {kIdle, kStarting, kProbing, kServing, kEnding, kLeaving, kDraining, kClosing, kGone};
constexpr SlotEvent kEvents[] = {kStarts, kListens, kAnswers, kEnds, kReaped, kLeave, kUnrouted, kClose};

// One that serves at 1000.
SlotLife Serving() {
  SlotLife life;
  life.Starts(0);
  life.Listens();
  life.Answers(1000);
  return life;
}

TEST(SlotLife, NothingComesBackFromLeaving) {
  for (const auto state : {kLeaving, kDraining, kClosing})
    for (const auto event : kEvents) EXPECT_GT(After(state, event).value_or(kGone), state);
  for (const auto event : kEvents) EXPECT_FALSE(After(kGone, event));
}

TEST(SlotLife, EveryStateCanBeLeftAtOnce) {
  for (const auto state : kStates) {
    if (state == kClosing || state == kGone) continue;
    EXPECT_EQ(After(state, kClose), state == kIdle ? kGone : kClosing);
  }
}

TEST(SlotLife, AnInstanceComesUpServesAndGoes) {
  SlotLife life;
  EXPECT_EQ(life.state(), kIdle);
  EXPECT_FALSE(life.has_process());
  life.Starts(0);
  EXPECT_EQ(life.state(), kStarting);
  life.Listens();
  EXPECT_EQ(life.state(), kProbing);
  EXPECT_EQ(life.next_ping(), 0);
  life.Answers(1000);
  EXPECT_TRUE(life.serving());
  EXPECT_EQ(life.next_ping(), 6000);
  life.Leave(50'000);
  EXPECT_EQ(life.state(), kLeaving);
  life.Leave(90'000);
  EXPECT_EQ(life.leave_by(), 50'000);  // the first word counts
  life.Unrouted();
  EXPECT_EQ(life.state(), kDraining);
  life.Close();
  EXPECT_EQ(life.state(), kClosing);
  life.Reaped(9000, true);
  EXPECT_EQ(life.state(), kGone);
  life.Starts(9001);
  EXPECT_EQ(life.state(), kGone);
}

TEST(SlotLife, WhatDoesNotServeYetIsLetGoAtOnce) {
  SlotLife idle;
  idle.Leave(1);
  EXPECT_EQ(idle.state(), kGone);
  SlotLife starting;
  starting.Starts(0);
  starting.Leave(1);
  EXPECT_EQ(starting.state(), kClosing);
  starting.Unrouted();
  EXPECT_EQ(starting.state(), kClosing);
}

TEST(SlotLife, WhatServedIsStartedAgainAtOnceAndThenLaterAndLater) {
  SlotLife life = Serving();
  life.Ends();
  EXPECT_EQ(life.state(), kEnding);
  life.Reaped(2000, true);
  EXPECT_EQ(life.state(), kIdle);
  EXPECT_EQ(life.restart_at(), 2000);
  UnixMillis now = 2000;
  for (const UnixMillis pause : {100, 200, 400, 800, 1600, 3200, 6400, 12'800, 25'600, 30'000, 30'000}) {
    life.Starts(now);
    life.Reaped(now, true);
    EXPECT_EQ(life.restart_at(), now + pause);
    now = life.restart_at();
  }
}

TEST(SlotLife, AfterALongLifeAnEndIsTheFirstAgain) {
  SlotLife life = Serving();
  life.Reaped(2000, true);
  life.Starts(2000);
  life.Listens();
  life.Answers(2100);
  life.Reaped(61'999, true);
  EXPECT_EQ(life.restart_at(), 61'999 + 100);
  life.Starts(70'000);
  life.Listens();
  life.Answers(70'100);
  life.Reaped(130'000, true);
  EXPECT_EQ(life.restart_at(), 130'000);
}

TEST(SlotLife, AnExitIsTheEndOfAllChancesASignalOnlyTheThird) {
  SlotLife exits;
  exits.Starts(0);
  exits.Reaped(10, false);
  EXPECT_TRUE(exits.OutOfChances());
  EXPECT_TRUE(exits.Stuck());
  SlotLife killed;
  for (int i = 1; i <= 3; ++i) {
    killed.Starts(0);
    killed.Reaped(10, true);
    EXPECT_EQ(killed.OutOfChances(), i == 3);
    EXPECT_EQ(killed.Stuck(), i == 3);
  }
  killed.Forgive();
  EXPECT_FALSE(killed.Stuck());
}

TEST(SlotLife, WhatNeverServedHasOneChanceToHang) {
  SlotLife hangs;
  hangs.Starts(0);
  hangs.GivenUp();
  hangs.Ends();
  hangs.Reaped(10, true);
  EXPECT_TRUE(hangs.OutOfChances());
  SlotLife served = Serving();
  served.GivenUp();
  served.Reaped(2000, true);
  EXPECT_FALSE(served.OutOfChances());
  EXPECT_EQ(served.restart_at(), 2000);
}

TEST(SlotLife, ThreeSilencesInARowAreAHang) {
  SlotLife life = Serving();
  EXPECT_FALSE(life.IsSilent(6000));
  EXPECT_EQ(life.next_ping(), 7000);
  EXPECT_FALSE(life.IsSilent(7000));
  life.Answers(8000);
  EXPECT_FALSE(life.IsSilent(13'000));
  EXPECT_FALSE(life.IsSilent(14'000));
  EXPECT_TRUE(life.IsSilent(15'000));
  EXPECT_EQ(life.missed_pings(), 3);
}

}  // namespace
}  // namespace headrace::jobs
