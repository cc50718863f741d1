#include "jobs/training/follow_life.h"

#include <map>
#include <utility>

#include <gtest/gtest.h>

namespace headrace::jobs::follow_life {
namespace {

using enum FollowState;
using enum FollowEvent;

constexpr FollowState kStates[] = {kBeginning, kFollowing, kEnded, kConcluding};
constexpr FollowEvent kEvents[] = {kRuns, kHasRun, kFinal};

FollowLife Following() {
  FollowLife life;
  life.Runs();
  return life;
}

FollowLife Ended(int64_t now) {
  FollowLife life = Following();
  life.HasRun(now);
  return life;
}

FollowLife Concluding() {
  FollowLife life = Ended(1);
  life.Final(JobEnd::Completed());
  return life;
}

TEST(FollowLife, EveryStateTakesWhatTheTableSaysAndNothingElse) {
  const std::map<std::pair<FollowState, FollowEvent>, FollowState> wanted = {{{kBeginning, kRuns}, kFollowing},
                                                                             {{kBeginning, kFinal}, kConcluding},
                                                                             {{kFollowing, kHasRun}, kEnded},
                                                                             {{kEnded, kRuns}, kFollowing},
                                                                             {{kEnded, kFinal}, kConcluding}};
  for (const auto state : kStates)
    for (const auto event : kEvents) {
      const auto found = wanted.find({state, event});
      EXPECT_EQ(After(state, event), found == wanted.end() ? std::nullopt : std::optional(found->second))
          << static_cast<int>(state) << " " << static_cast<int>(event);
    }
}

TEST(FollowLife, AJobRunsEndsAndIsStored) {
  FollowLife life;
  EXPECT_EQ(life.state(), kBeginning);
  life.Runs();
  EXPECT_EQ(life.state(), kFollowing);
  EXPECT_FALSE(life.ending());
  life.HasRun(100);
  EXPECT_EQ(life.state(), kEnded);
  EXPECT_FALSE(life.ending());
  life.Final(JobEnd::Completed());
  EXPECT_EQ(life.state(), kConcluding);
  EXPECT_TRUE(life.ending());
  EXPECT_EQ(life.end().status, TrainingStatus::kCompleted);
}

TEST(FollowLife, AnotherAttemptIsFollowedAnew) {
  FollowLife life = Ended(100);
  life.Runs();
  EXPECT_EQ(life.state(), kFollowing);
  EXPECT_FALSE(life.AwaitsSupervisors(101));
  life.HasRun(50'000);
  EXPECT_TRUE(life.AwaitsSupervisors(59'999));  // their time begins anew, too
}

TEST(FollowLife, SupervisorsThatDoNotDieAreWaitedForSomeTime) {
  EXPECT_FALSE(Following().AwaitsSupervisors(1));
  const FollowLife life = Ended(5'000);
  EXPECT_TRUE(life.AwaitsSupervisors(5'000));
  EXPECT_TRUE(life.AwaitsSupervisors(14'999));
  EXPECT_FALSE(life.AwaitsSupervisors(15'000));
  EXPECT_FALSE(Concluding().AwaitsSupervisors(2));
}

TEST(FollowLife, WhatCannotBeginEndsWithTheReason) {
  FollowLife life;
  life.Final(JobEnd::Failed("no channel"));
  EXPECT_EQ(life.state(), kConcluding);
  EXPECT_EQ(life.end().reason, "no channel");
  life.Final(JobEnd::Completed());  // the first word counts
  EXPECT_EQ(life.end().reason, "no channel");
}

TEST(FollowLife, HostsThatRunCannotBeConcluded) {
  FollowLife life = Following();
  life.Final(JobEnd::Completed());
  EXPECT_EQ(life.state(), kFollowing);
  life.HasRun(1);
  life.HasRun(9'000);  // they end once
  EXPECT_FALSE(life.AwaitsSupervisors(10'001));
}

}  // namespace
}  // namespace headrace::jobs::follow_life
