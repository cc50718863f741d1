#include "jobs/metrics/metric_definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;

MetricMatcher Compile(std::vector<MetricDefinition> definitions) {
  return ValueOrThrow(MetricMatcher::Compile(std::move(definitions)));
}

TEST(MetricDefinitions, TakesTheSeedsExpressionsAsTheyAre) {
  const auto matcher = Compile({{"train:loss", ".*loss: ([0-9\\.]+) - accuracy: [0-9\\.]+.*"},
                                {"train:accuracy", ".*loss: [0-9\\.]+ - accuracy: ([0-9\\.]+).*"},
                                {"validation:accuracy",
                                 ".*step - loss: [0-9\\.]+ - accuracy: [0-9\\.]+ - val_loss: [0-9\\.]+ - "
                                 "val_accuracy: ([0-9\\.]+).*"},
                                {"sec/steps",
                                 ".* - \\d+s (\\d+)[mu]s/step - loss: [0-9\\.]+ - accuracy: [0-9\\.]+ - "
                                 "val_loss: [0-9\\.]+ - val_accuracy: [0-9\\.]+"}});
  const auto samples =
      matcher.Match("156/156 - 12s 77ms/step - loss: 1.5 - accuracy: 0.44 - val_loss: 1.25 - val_accuracy: 0.55");
  ASSERT_EQ(samples.size(), 4u);
  EXPECT_EQ(samples[0].value, 1.5);
  EXPECT_EQ(samples[1].value, 0.44);
  EXPECT_EQ(samples[2].value, 0.55);
  EXPECT_EQ(samples[3].value, 77);
}

TEST(MetricDefinitions, TakesPythonEscapedClasses) {
  const auto matcher = Compile({{"loss", "loss: ([0-9\\\\.]+)"}});
  ASSERT_EQ(matcher.Match("loss: 0.125").size(), 1u);
  EXPECT_EQ(matcher.Match("loss: 0.125")[0].value, 0.125);
}

TEST(MetricDefinitions, SearchesAnywhereAndTakesTheFirstMatch) {
  const auto matcher = Compile({{"x", "x=(\\S+)"}});
  EXPECT_EQ(matcher.Match("[1,0]<stdout>: x=-1e-3 x=2").at(0).value, -1e-3);
  EXPECT_TRUE(matcher.Match("y=1").empty());
}

TEST(MetricDefinitions, ReportsWhatIsNotANumber) {
  const auto matcher = Compile({{"x", "x=(\\S*)"}});
  std::vector<MetricMiss> misses;
  for (const char* line : {"x=1.2.3", "x=nan", "x="}) EXPECT_TRUE(matcher.Match(line, &misses).empty());
  ASSERT_EQ(misses.size(), 3u);
  EXPECT_EQ(misses[0].text, "1.2.3");
  EXPECT_EQ(misses[1].text, "nan");
  EXPECT_EQ(misses[2].text, "");
}

TEST(MetricDefinitions, RefusesWhatCanNeverMatch) {
  const auto message = [](std::vector<MetricDefinition> definitions) {
    auto matcher = MetricMatcher::Compile(std::move(definitions));
    return matcher ? "accepted" : matcher.error().message();
  };
  EXPECT_THAT(message({{"a", "loss: ("}}), HasSubstr("MetricDefinitions[0] 'a': Regex 'loss: (' is not valid"));
  EXPECT_THAT(message({{"a", "(x)(?!y)"}}), HasSubstr("look-around is not supported"));
  EXPECT_THAT(message({{"a", "(x)"}, {"b", "loss"}}), HasSubstr("MetricDefinitions[1] 'b': Regex 'loss' has no group"));
  EXPECT_THAT(message({{"a", "(x)"}, {"a", "(y)"}}), HasSubstr("'a' is defined twice"));
  EXPECT_THAT(message({{"", "(x)"}}), HasSubstr("Name is empty"));
}

}  // namespace
}  // namespace headrace::jobs
