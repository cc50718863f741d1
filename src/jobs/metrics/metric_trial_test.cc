#include "jobs/metrics/metric_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<MetricFinding> Try(std::vector<MetricDefinition> definitions, std::string_view log, size_t piece = 1000) {
  MetricTrial trial(std::move(definitions));
  for (size_t at = 0; at < log.size(); at += piece) trial.Feed(log.substr(at, piece));
  return trial.Finish();
}

TEST(MetricTrial, TellsCountFirstLastAndTheFirstMatchingLine) {
  for (const size_t piece : {1, 7, 1000}) {
    const auto found = Try({{"loss", "loss: ([0-9.]+)"}}, "start\nloss: 2.5\nloss: 1.5 loss: 9\nloss: 0.5", piece);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].values, 3u);
    EXPECT_EQ(found[0].not_numeric, 0u);
    EXPECT_EQ(found[0].first, 2.5);
    EXPECT_EQ(found[0].last, 0.5);
    EXPECT_EQ(found[0].first_line, 2u);
    EXPECT_EQ(found[0].first_text, "loss: 2.5");
    EXPECT_THAT(found[0].warnings, IsEmpty());
  }
}

TEST(MetricTrial, SeesProgressBarsAsJobsDo) {
  const auto found = Try({{"step", "(\\d+)/3"}}, "\r1/3\r2/3\r3/3\n");
  EXPECT_EQ(found[0].values, 1u);
  EXPECT_EQ(found[0].first, 3);
}

TEST(MetricTrial, PassesOverThePlatformsOwnLines) {
  MetricTrial trial(std::vector<MetricDefinition>{{"values", "(\\d+) values"}});
  trial.Feed("[headrace] metric loss: 7 values\n");
  EXPECT_EQ(trial.Finish()[0].values, 0u);
  EXPECT_EQ(trial.lines(), 1u);
  EXPECT_EQ(trial.platform_lines(), 1u);
}

TEST(MetricTrial, WarnsOfWhatMatchesNothing) {
  const auto found = Try({{"loss", "los: (.*)"}}, "loss: 1\n");
  EXPECT_EQ(found[0].first_line, 0u);
  EXPECT_THAT(found[0].warnings, ElementsAre("no line matched"));
}

TEST(MetricTrial, WarnsOfGroupsThatHoldNoNumber) {
  const auto found = Try({{"loss", "loss: (.*)"}}, "loss: 1.5,\nloss: 2\n");
  EXPECT_EQ(found[0].values, 1u);
  EXPECT_EQ(found[0].not_numeric, 1u);
  EXPECT_EQ(found[0].first_line, 1u);
  EXPECT_THAT(found[0].warnings, ElementsAre("1 lines matched, but their first group was no number: '1.5,'"));
}

TEST(MetricTrial, WarnsOfSeveralGroups) {
  const auto found = Try({{"loss", "(train|test) loss: ([0-9.]+)"}}, "train loss: 2\n");
  EXPECT_THAT(found[0].warnings, ElementsAre("1 lines matched, but their first group was no number: 'train'",
                                             HasSubstr("the Regex has 2 groups, of which only the first is read")));
}

TEST(MetricTrial, TriesDoubledBackslashesAsSingleOnes) {
  const auto found = Try({{"step", "step (\\\\d+)"}}, "step 1\nstep 2\n");
  EXPECT_THAT(found[0].warnings, ElementsAre("no line matched",
                                             "two backslashes match one in the log; with one each ('step (\\d+)') 2 "
                                             "lines would have given a value"));
  // Where they do no harm nothing is said: in a set a backslash more changes little.
  EXPECT_THAT(Try({{"loss", "loss: ([0-9\\\\.]+)"}}, "loss: 0.5\n")[0].warnings, IsEmpty());
}

TEST(MetricTrial, NamesDefinitionsThatNoJobTakesAndTriesTheOthers) {
  const auto found = Try({{"none", "loss"}, {"broken", "("}, {"loss", "loss (.*)"}, {"loss", "(.*)"}}, "loss 1\n");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_THAT(found[0].refused, HasSubstr("has no group"));
  EXPECT_THAT(found[1].refused, HasSubstr("is not valid"));
  EXPECT_EQ(found[2].refused, "");
  EXPECT_EQ(found[2].values, 1u);
  EXPECT_EQ(found[3].refused, "the Name 'loss' is defined twice");
}

TEST(MetricTrial, MatchesLongLinesInPieces) {
  const std::string line(TerminalLines::kMaxColumns, 'x');
  MetricTrial trial(std::vector<MetricDefinition>{{"loss", "loss (.*)"}});
  trial.Feed(line + "loss 1\n");
  const auto found = trial.Finish();
  EXPECT_EQ(trial.lines(), 2u);
  EXPECT_EQ(found[0].first_text, "loss 1");
}

}  // namespace
}  // namespace headrace::jobs
