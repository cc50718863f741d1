#include "jobs/training/supervisor_watch.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using Verdict = SupervisorWatch::Verdict;

// Looks every 200 ms from `begin` to `end`; the last verdict.
template <typename Pulse>
Verdict LookOn(SupervisorWatch& watch, int64_t begin, int64_t end, const Pulse& pulse, bool has_to_end) {
  auto verdict = Verdict::kWorks;
  for (int64_t now = begin; now <= end; now += 200) verdict = watch.Look(now, pulse(now), has_to_end);
  return verdict;
}

std::string Beats(int64_t now) { return std::to_string(now / 1000); }
std::string Stands(int64_t) { return "7"; }

TEST(SupervisorWatchTest, OneThatBeatsWorksForAsLongAsItLikes) {
  SupervisorWatch watch(5000, 10'000);
  EXPECT_EQ(LookOn(watch, 0, 1'000'000, Beats, false), Verdict::kWorks);
}

TEST(SupervisorWatchTest, OneWhosePulseStandsStillHangs) {
  SupervisorWatch watch(5000, 10'000);
  EXPECT_EQ(LookOn(watch, 0, 5000, Stands, false), Verdict::kWorks);
  EXPECT_EQ(LookOn(watch, 5200, 5400, Stands, false), Verdict::kHangs);
}

TEST(SupervisorWatchTest, ABeatBeginsAnew) {
  SupervisorWatch watch(5000, 10'000);
  LookOn(watch, 0, 4800, Stands, false);
  watch.Look(5000, "8", false);
  EXPECT_EQ(LookOn(
                watch, 5200, 9000, [](int64_t) { return "8"; }, false),
            Verdict::kWorks);
}

TEST(SupervisorWatchTest, SleepOfTheMachineIsNoHang) {
  SupervisorWatch watch(5000, 10'000);
  watch.Look(0, "1", false);
  EXPECT_EQ(watch.Look(3'600'000, "1", false), Verdict::kWorks);
  EXPECT_EQ(watch.Look(3'600'200, "2", false), Verdict::kWorks);
}

TEST(SupervisorWatchTest, OneThatHasToEndHasItsTime) {
  SupervisorWatch watch(5000, 10'000);
  LookOn(watch, 0, 60'000, Beats, false);
  EXPECT_EQ(LookOn(watch, 60'200, 70'000, Beats, true), Verdict::kWorks);
  EXPECT_EQ(LookOn(watch, 70'200, 70'600, Beats, true), Verdict::kTooLate);
}

}  // namespace
}  // namespace headrace::jobs
