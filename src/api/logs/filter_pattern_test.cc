#include "api/logs/filter_pattern.h"

#include <gtest/gtest.h>

namespace headrace::api::logs {
namespace {

bool Matches(const char* pattern, const char* message) {
  return FilterPattern::Parse(pattern).value().Matches(message);
}

TEST(FilterPattern, WantsEveryTerm) {
  EXPECT_TRUE(Matches("", "anything"));
  EXPECT_TRUE(Matches("  ", "anything"));
  EXPECT_TRUE(Matches("loss 0.5", "epoch 1 loss: 0.5"));
  EXPECT_FALSE(Matches("loss 0.6", "epoch 1 loss: 0.5"));
  EXPECT_FALSE(Matches("Loss", "epoch 1 loss: 0.5"));  // with their case
}

TEST(FilterPattern, KnowsPhrasesExclusionsAndAlternatives) {
  EXPECT_TRUE(Matches(R"("epoch 1 loss")", "epoch 1 loss: 0.5"));
  EXPECT_FALSE(Matches(R"("loss epoch")", "epoch 1 loss: 0.5"));
  EXPECT_TRUE(Matches(R"("say \"hi\"")", R"(they say "hi" again)"));
  EXPECT_TRUE(Matches("ERROR -timeout", "ERROR disk"));
  EXPECT_FALSE(Matches("ERROR -timeout", "ERROR timeout"));
  EXPECT_FALSE(Matches(R"(-"time out")", "ERROR time out"));
  EXPECT_TRUE(Matches("?ERROR ?WARN", "a WARN"));
  EXPECT_FALSE(Matches("?ERROR ?WARN", "an INFO"));
}

TEST(FilterPattern, RefusesWhatItDoesNotKnow) {
  for (const char* pattern : {"{ $.x = 1 }", "[a, b]", "%regex%", "\"open", "a\"b", "?", "- x", "\"a\"b"}) {
    const auto parsed = FilterPattern::Parse(pattern);
    ASSERT_FALSE(parsed) << pattern;
    EXPECT_EQ(parsed.error().code, "InvalidParameterException");
    EXPECT_TRUE(parsed.error().message.starts_with("Invalid filter pattern: "));
  }
}

}  // namespace
}  // namespace headrace::api::logs
