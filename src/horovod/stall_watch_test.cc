#include "horovod/stall_watch.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace headrace::hvd {
namespace {

class StallWatchTest : public testing::Test {
 protected:
  Settings settings_;
  ManualClock clock_{1'000};
  StallWatch watch_{settings_, clock_, "rank 0 (algo-1)", "allreduce \"loss\""};
};

TEST_F(StallWatchTest, WarnsEveryTenSecondsAndEndsAfterSixty) {
  const std::vector<Absent> missing = {{1, "algo-2", "in batch 7 10 s ago"}};
  clock_.Advance(9'999);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(watch_.Check(missing, true).has_value());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  clock_.Advance(1);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(watch_.Check(missing, true).has_value());
  EXPECT_TRUE(watch_.Check(missing, true).has_value());  // once
  const std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_NE(printed.find(
                "allreduce \"loss\": rank 0 (algo-1) has waited 10 s for rank 1 (algo-2), last in batch 7 10 s ago\n"),
            std::string::npos)
      << printed;
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 1);
  clock_.Advance(50'000);
  const auto ended = watch_.Check(missing, true);
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(ended.error().message().find("rank 0 (algo-1) waited 60 s for rank 1 (algo-2)"), std::string::npos);
}

TEST_F(StallWatchTest, ARankThatIsGoneEndsTheWaitAtOnce) {
  EXPECT_NE(watch_.Check({{.rank = 2, .ended = true}}, false).error().message().find("the process of rank 2 has ended"),
            std::string::npos);
  EXPECT_NE(watch_.Check({{.rank = 2, .left = true}}, false).error().message().find("rank 2 has called shutdown()"),
            std::string::npos);
}

}  // namespace
}  // namespace headrace::hvd
