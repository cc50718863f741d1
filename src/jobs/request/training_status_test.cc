#include "jobs/request/training_status.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(TrainingStatus, TextsAndStatusesAreTheSame) {
  for (const char* text : {"InProgress", "Completed", "Failed", "Stopping", "Stopped"}) {
    const auto status = TrainingStatusOf(text);
    ASSERT_TRUE(status) << text;
    EXPECT_EQ(Text(*status), text);
  }
  EXPECT_EQ(Text(TrainingStatus::kInProgress), "InProgress");
  EXPECT_EQ(Text(TrainingStatus::kStopped), "Stopped");
  EXPECT_FALSE(TrainingStatusOf("Pending"));
  EXPECT_FALSE(TrainingStatusOf(""));
}

TEST(SecondaryStatus, TextsAndStatusesAreTheSame) {
  for (const char* text : {"Starting", "Pending", "Downloading", "Training", "Uploading", "Restarting", "Stopping",
                           "Stopped", "MaxRuntimeExceeded", "Completed", "Failed"}) {
    const auto status = SecondaryStatusOf(text);
    ASSERT_TRUE(status) << text;
    EXPECT_EQ(Text(*status), text);
  }
  EXPECT_EQ(Text(SecondaryStatus::kStarting), "Starting");
  EXPECT_EQ(Text(SecondaryStatus::kFailed), "Failed");
  EXPECT_FALSE(SecondaryStatusOf("InProgress"));
}

TEST(JobEnd, HasTheStatusesThatGoTogether) {
  EXPECT_EQ(Text(JobEnd::MaxRuntimeExceeded().status), "Stopped");
  EXPECT_EQ(Text(JobEnd::MaxRuntimeExceeded().secondary), "MaxRuntimeExceeded");
  EXPECT_TRUE(JobEnd::Failed("why").failed());
  EXPECT_FALSE(JobEnd::Completed().failed());
  EXPECT_TRUE(JobEnd::Failed("a").failed());
}

TEST(JobEnd, ComesFromTexts) {
  const auto stopped = JobEndOf("Stopped", "MaxRuntimeExceeded", "");
  EXPECT_EQ(stopped.status, TrainingStatus::kStopped);
  EXPECT_EQ(stopped.secondary, SecondaryStatus::kMaxRuntimeExceeded);
  EXPECT_EQ(JobEndOf("Failed", "Failed", "why").reason, "why");
  for (const auto& [status, secondary] : {std::pair{"InProgress", "Training"}, {"", ""}, {"Completed", "x"}}) {
    const auto end = JobEndOf(status, secondary, "");
    EXPECT_TRUE(end.failed()) << status;
    EXPECT_NE(end.reason.find(secondary), std::string::npos);
  }
}

}  // namespace
}  // namespace headrace::jobs
