#include "jobs/supervisor/program_life.h"

#include <map>
#include <utility>

#include <gtest/gtest.h>

namespace headrace::jobs::program_life {
namespace {

using enum ProgramState;
using enum ProgramEvent;

constexpr ProgramState kStates[] = {kRuns, kAsking, kEnding, kOver};
constexpr ProgramEvent kEvents[] = {kHasToEnd, kHasHeard, kPassesALimit, kEnds};
constexpr UnixMillis kGrace = 1000;

TEST(ProgramLife, EveryStateTakesWhatTheTableSaysAndNothingElse) {
  const std::map<std::pair<ProgramState, ProgramEvent>, ProgramState> wanted = {
      {{kRuns, kHasToEnd}, kAsking},   {{kRuns, kPassesALimit}, kEnding},   {{kRuns, kEnds}, kOver},
      {{kAsking, kHasHeard}, kEnding}, {{kAsking, kPassesALimit}, kEnding}, {{kAsking, kEnds}, kOver},
      {{kEnding, kEnds}, kOver}};
  for (const auto state : kStates)
    for (const auto event : kEvents) {
      const auto found = wanted.find({state, event});
      EXPECT_EQ(After(state, event), found == wanted.end() ? std::nullopt : std::optional(found->second))
          << static_cast<int>(state) << " " << static_cast<int>(event);
    }
}

TEST(ProgramLife, OneThatIsAskedHasItsTime) {
  ProgramLife life;
  EXPECT_FALSE(life.is_ending());
  EXPECT_FALSE(life.IsLate(9'000'000, kGrace));  // nobody wants it to end
  life.HasToEnd(5'000);
  EXPECT_EQ(life.state(), kAsking);
  life.HasHeard();
  EXPECT_EQ(life.state(), kEnding);
  EXPECT_FALSE(life.IsLate(5'999, kGrace));
  EXPECT_TRUE(life.IsLate(6'000, kGrace));
  EXPECT_TRUE(life.IsLate(6'050, kGrace));  // and again
  life.Ends();
  EXPECT_TRUE(life.is_over());
  EXPECT_FALSE(life.IsLate(9'000, kGrace));
}

TEST(ProgramLife, OneThatHearsNothingIsKilledAllTheSame) {
  ProgramLife life;
  life.HasToEnd(0);
  EXPECT_FALSE(life.IsLate(999, kGrace));
  EXPECT_TRUE(life.IsLate(1'000, kGrace));
}

TEST(ProgramLife, ItsTimeMayBecomeShorter) {
  ProgramLife life;
  life.HasToEnd(0);
  life.HasHeard();
  EXPECT_FALSE(life.IsLate(3'000, 120'000));
  EXPECT_TRUE(life.IsLate(3'001, kGrace));  // the other hosts have failed
}

TEST(ProgramLife, AtALimitNothingIsSaved) {
  ProgramLife life;
  life.PassesALimit(5'000);
  EXPECT_EQ(life.state(), kEnding);
  life.HasHeard();
  life.HasToEnd(5'500);
  EXPECT_EQ(life.state(), kEnding);
  EXPECT_FALSE(life.IsLate(5'999, kGrace));
  EXPECT_TRUE(life.IsLate(6'000, kGrace));
}

TEST(ProgramLife, ALimitPassedWhileItEndsGivesNoMoreTime) {
  ProgramLife life;
  life.HasToEnd(0);
  life.HasHeard();
  life.PassesALimit(900);
  EXPECT_EQ(life.state(), kEnding);
  EXPECT_TRUE(life.IsLate(1'000, kGrace));
}

TEST(ProgramLife, AnyProgramMayEndAtAnyTime) {
  ProgramLife runs;
  runs.Ends();
  EXPECT_TRUE(runs.is_over());
  runs.HasToEnd(1);
  runs.PassesALimit(1);
  EXPECT_TRUE(runs.is_over());
  EXPECT_FALSE(runs.is_ending());
  ProgramLife asked;
  asked.HasToEnd(1);
  asked.Ends();
  EXPECT_TRUE(asked.is_ending()) << "whoever looks once more does not ask why it is to end again";
}

}  // namespace
}  // namespace headrace::jobs::program_life
