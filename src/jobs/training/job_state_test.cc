#include "jobs/training/job_state.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

IngestState Hosts(size_t count) { return Begun("job", std::vector<std::vector<int>>(count), 5'000, {}); }

void End(IngestState& state, size_t host, JobEnd how, UnixMillis time = 1, bool again = false) {
  state.hosts[host].end = HostEnd{std::move(how), time, again};
}

TEST(JobState, ShowsThePhaseOfTheHostThatIsFurthestBehind) {
  auto state = Hosts(2);
  EXPECT_FALSE(PhaseOfJob(state));
  state.hosts[0].phase = SecondaryStatus::kTraining;
  state.hosts[0].message = "runs";
  EXPECT_FALSE(PhaseOfJob(state));  // the other one has not begun
  state.hosts[1].phase = SecondaryStatus::kDownloading;
  state.hosts[1].message = "loads";
  EXPECT_EQ(PhaseOfJob(state), (JobPhase{SecondaryStatus::kDownloading, "loads"}));
  state.hosts[1].phase = SecondaryStatus::kTraining;
  EXPECT_EQ(PhaseOfJob(state), (JobPhase{SecondaryStatus::kTraining, "runs"}));  // of equals the first
  state.hosts[0].phase = SecondaryStatus::kUploading;
  EXPECT_EQ(PhaseOfJob(state)->status, SecondaryStatus::kTraining);
  End(state, 1, JobEnd::Completed());
  EXPECT_EQ(PhaseOfJob(state)->status, SecondaryStatus::kUploading);
  End(state, 0, JobEnd::Completed());
  EXPECT_FALSE(PhaseOfJob(state));
}

TEST(JobState, EndsWhenAllHostsHaveEnded) {
  auto state = Hosts(2);
  EXPECT_FALSE(EndOfJob(state));
  End(state, 1, JobEnd::Completed());
  EXPECT_FALSE(EndOfJob(state));
  EXPECT_FALSE(state.program_ended());
  End(state, 0, JobEnd::Completed());
  EXPECT_EQ(EndOfJob(state)->status, TrainingStatus::kCompleted);
  EXPECT_TRUE(state.program_ended());
  EXPECT_FALSE(OthersHaveToEnd(state));
}

TEST(JobState, FailsWithTheReasonOfTheHostThatFailedFirst) {
  auto state = Hosts(3);
  End(state, 0, JobEnd::Failed("later"), 70);
  EXPECT_TRUE(OthersHaveToEnd(state));
  End(state, 1, JobEnd::Stopped(), 10);  // because of the failure
  End(state, 2, JobEnd::Failed("first"), 60);
  EXPECT_EQ(EndOfJob(state)->reason, "first");
  End(state, 1, JobEnd::Failed("lost"), 80, true);  // seen late, but nobody is lost because others fail
  EXPECT_EQ(EndOfJob(state)->reason, "lost");
}

TEST(JobState, StopsAsItsHostsDo) {
  auto state = Hosts(3);
  for (size_t i = 0; i < 3; ++i) End(state, i, JobEnd::Completed());
  End(state, 1, JobEnd::Stopped());
  EXPECT_EQ(EndOfJob(state)->secondary, SecondaryStatus::kStopped);
  End(state, 2, JobEnd::MaxRuntimeExceeded());
  EXPECT_EQ(EndOfJob(state)->secondary, SecondaryStatus::kMaxRuntimeExceeded);
  EXPECT_EQ(EndOfJob(state)->status, TrainingStatus::kStopped);
}

TEST(JobState, AnotherAttemptBeginsForAllHosts) {
  auto state = Hosts(2);
  End(state, 0, JobEnd::Stopped());
  End(state, 1, JobEnd::Failed("gone"), 1, true);
  EXPECT_TRUE(MayGoBetterAgain(state));
  state.hosts[0].log_offset = state.hosts[0].events_offset = 7;
  state.matches = {3};
  const auto next = state.NextAttempt();
  EXPECT_EQ(next.attempt, 1);
  EXPECT_FALSE(MayGoBetterAgain(next));
  EXPECT_FALSE(EndOfJob(next));
  EXPECT_EQ(next.hosts[0].log_offset + next.hosts[0].events_offset, 0u);
  EXPECT_EQ(next.hosts[1].log_stream, "job/algo-2-5");
  EXPECT_EQ(next.matches, state.matches);  // the log goes on
}

TEST(IngestState, SurvivesTheRoundTrip) {
  auto state = Begun("job", {{0, 1}, {3}}, 5'000, {7, "boot", 9});
  state.attempt = 2;
  state.matches = {1, 2};
  state.not_numeric = {0, 4};
  state.hosts[1].phase = SecondaryStatus::kTraining;
  state.hosts[1].message = "m";
  state.hosts[1].log_offset = 11;
  state.hosts[0].program_ended = true;
  End(state, 0, JobEnd::Failed("why"), 13, true);
  const auto read = ValueOrThrow(ParseIngestState(ToJson(state)));
  EXPECT_EQ(ToJson(read), ToJson(state));
  EXPECT_EQ(read.hosts[0].end->how.reason, "why");
  EXPECT_EQ(read.hosts[1].place, std::vector<int>{3});
  EXPECT_EQ(read.hosts[1].phase, SecondaryStatus::kTraining);
}

TEST(IngestState, AJobThatAnEarlierBuildHasBegunHasOneHost) {
  const auto state = ValueOrThrow(ParseIngestState(R"({"admitted": true, "attempt": 1, "cpus": [2, 3],
      "log_stream": "job/algo-1-17", "deadline": 5, "events_offset": 40, "log_offset": 50, "matches": [6],
      "not_numeric": [7], "deadline_boot": "b", "deadline_boot_ms": 8, "program_ended": true,
      "end": {"outcome": "Failed", "secondary": "Failed", "reason": "why"}})"));
  ASSERT_EQ(state.hosts.size(), 1u);
  EXPECT_EQ(state.attempt, 1);
  EXPECT_EQ(state.hosts[0].name, "algo-1");
  EXPECT_EQ(state.hosts[0].place, (std::vector<int>{2, 3}));
  EXPECT_EQ(state.hosts[0].log_stream, "job/algo-1-17");
  EXPECT_EQ(state.hosts[0].events_offset, 40u);
  EXPECT_EQ(state.hosts[0].log_offset, 50u);
  EXPECT_TRUE(state.hosts[0].program_ended);
  EXPECT_EQ(EndOfJob(state)->reason, "why");
}

TEST(IngestState, OnlyWhatIsOneIsRead) {
  EXPECT_FALSE(ValueOrThrow(ParseIngestState("{}")).admitted);
  for (const char* text : {"", "[]", R"({"admitted": true})", R"({"admitted": true, "attempt": 0, "deadline": 1,
      "matches": [], "not_numeric": [], "hosts": []})"})
    EXPECT_FALSE(ParseIngestState(text)) << text;
}

}  // namespace
}  // namespace headrace::jobs
