#include "jobs/supervisor/host_life.h"

#include <string>

#include <gtest/gtest.h>

#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs::host_life {
namespace {

using enum HostPhase;
using enum HostEvent;

constexpr HostPhase kWork[] = {kMaking, kStaging, kReadying, kRunning, kPacking};

Status Broken(const char* why) { return Fail(ErrorCode::kFailedPrecondition, "{}", why); }
Status Cancelled() { return Fail(ErrorCode::kUnavailable, "stopped"); }

// One that is at `phase`.
HostLife At(HostPhase phase) {
  HostLife life;
  while (life.phase() != phase) life.Take({});
  return life;
}

TEST(HostLife, PhasesFollowEachOther) {
  HostLife life;
  for (const auto phase : kWork) {
    EXPECT_EQ(life.phase(), phase);
    life.Take({});
  }
  EXPECT_EQ(life.phase(), kEnding);
  EXPECT_EQ(life.End({}).status, TrainingStatus::kCompleted);
  life.Take({});
  EXPECT_EQ(life.phase(), kEnded);
}

TEST(HostLife, WhateverBreaksOffIsFollowedByTheEnd) {
  for (const auto phase : kWork) {
    EXPECT_EQ(After(phase, kBreaksOff), kEnding);
    HostLife life = At(phase);
    life.Take(Broken("ClientError: why"));
    EXPECT_EQ(life.phase(), kEnding);
    EXPECT_EQ(life.End({}).reason, "ClientError: why");
    life.Take({});
    EXPECT_EQ(life.phase(), kEnded);
    EXPECT_EQ(life.End({}).reason, "ClientError: why");
  }
}

TEST(HostLife, TheEndCannotBreakOffAndNothingFollowsIt) {
  EXPECT_FALSE(After(kEnding, kBreaksOff));
  for (const auto event : {kDone, kBreaksOff}) EXPECT_FALSE(After(kEnded, event));
  HostLife life = At(kEnding);
  life.Take(Broken("late"));
  EXPECT_EQ(life.phase(), kEnding);
  life.Take({});
  life.Take({});
  life.Take(Broken("later"));
  EXPECT_EQ(life.phase(), kEnded);
  EXPECT_EQ(life.End({}).status, TrainingStatus::kCompleted);
}

TEST(HostLife, AStopIsNoFailure) {
  HostLife life = At(kStaging);
  life.Take(Cancelled());
  EXPECT_EQ(life.End({.stopped = true}).status, TrainingStatus::kStopped);
  EXPECT_EQ(life.End({.timed_out = true, .stopped = true}).secondary, SecondaryStatus::kMaxRuntimeExceeded);
  EXPECT_EQ(life.End({}).reason, "InternalServerError: stopped");                  // by nobody
  EXPECT_EQ(At(kEnding).End({.stopped = true}).status, TrainingStatus::kStopped);  // it was asked to, and did
}

TEST(HostLife, AFailureComesBeforeAStop) {
  HostLife life = At(kRunning);
  life.Take(Broken("AlgorithmError: exit code: 1"));
  EXPECT_EQ(life.End({.timed_out = true, .stopped = true}).reason, "AlgorithmError: exit code: 1");
}

TEST(HostLife, ALogThatIsNotWholeIsAFailureOfItsOwn) {
  HostFacts facts{.log = Broken("no space"), .stopped = true};
  HostLife life = At(kEnding);
  EXPECT_EQ(life.End(facts).reason, "InternalServerError: the job's log could not be written: no space");
  facts.out_of_disk = true;
  EXPECT_EQ(life.End(facts).status, TrainingStatus::kStopped);
}

TEST(HostLife, ReasonsAreCutToWhatClientsTake) {
  HostLife life;
  life.Take(Broken(std::string(5000, 'x').c_str()));
  EXPECT_EQ(life.End({}).reason.size(), kLongestFailureReason);
}

}  // namespace
}  // namespace headrace::jobs::host_life
