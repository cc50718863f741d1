#include "jobs/capture/log_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kLine = 4 + LogBudget::kBytesOfLine;  // "line", say

TEST(LogBudgetTest, KeepsEverythingWithoutALimit) {
  LogBudget budget(0);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(budget.Take("line"));
  EXPECT_EQ(budget.Finish().lines, 0u);
}

TEST(LogBudgetTest, KeepsTheFirstAndTheLastLinesAndCountsTheRest) {
  LogBudget budget(8 * kLine);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(budget.Take("head")) << i;
  for (const char* line : {"7...", "8...", "9...", "last", "end."}) EXPECT_FALSE(budget.Take(line));
  const auto rest = budget.Finish();
  EXPECT_EQ(rest.lines, 3u);
  EXPECT_EQ(rest.bytes, 12u);
  EXPECT_THAT(rest.last, ElementsAre("last", "end."));
}

TEST(LogBudgetTest, ALineThatFitsNowhereIsCounted) {
  LogBudget budget(4 * kLine);
  EXPECT_FALSE(budget.Take(std::string(1000, 'x')));
  EXPECT_FALSE(budget.Take("line"));  // the order stays
  const auto rest = budget.Finish();
  EXPECT_EQ(rest.lines, 1u);
  EXPECT_EQ(rest.bytes, 1000u);
  EXPECT_THAT(rest.last, ElementsAre("line"));
}

TEST(LogBudgetTest, TheNextProgramHasAnEndOfItsOwn) {
  LogBudget budget(4 * kLine);
  for (int i = 0; i < 10; ++i) budget.Take("line");
  EXPECT_EQ(budget.Finish().lines, 6u);
  EXPECT_FALSE(budget.Take("more"));
  EXPECT_THAT(budget.Finish().last, ElementsAre("more"));
  EXPECT_THAT(budget.Finish().last, IsEmpty());
}

TEST(LogBudgetTest, EmptyLinesCostSomethingToo) {
  LogBudget budget(100 * LogBudget::kBytesOfLine);
  int kept = 0;
  for (int i = 0; i < 1'000; ++i) kept += budget.Take("") ? 1 : 0;
  EXPECT_EQ(kept, 75);
}

}  // namespace
}  // namespace headrace::jobs
