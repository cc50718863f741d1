#include "jobs/training/old_jobs.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

constexpr UnixMillis kHour = 3'600'000;

class OldJobsTest : public ::testing::Test {
 protected:
  void Make(const std::string& name, const std::string& status = "") {
    ValueOrThrow(MakeDirectories(directory_ / "jobs/1/" + name));
    if (status.empty()) return;
    store::TrainingJob job;
    job.account_id = "1";
    job.name = job.arn = name;
    job.status = status;
    job.modified = 0;
    ASSERT_TRUE(ValueOrThrow(store::TrainingJobs(*database_).Insert(job)));
  }
  bool IsThere(const std::string& name) const { return std::filesystem::exists(directory_ / "jobs/1/" + name); }

  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = ValueOrThrow(store::Database::Open(directory_ / "meta.db"));
  Rubbish rubbish_{directory_ / "rubbish"};
  OldJobs old_jobs_{*database_, rubbish_, directory_ / "jobs", 72};
};

TEST_F(OldJobsTest, GoWhenTheyHaveEndedLongAgo) {
  Make("ended", "Failed");
  Make("running", "InProgress");
  old_jobs_.Step(72 * kHour, 1);
  EXPECT_TRUE(IsThere("ended"));
  old_jobs_.Step(73 * kHour, 2);  // it has just looked
  EXPECT_TRUE(IsThere("ended"));
  old_jobs_.Step(73 * kHour, 600'001);
  EXPECT_FALSE(IsThere("ended"));
  EXPECT_TRUE(IsThere("running"));
}

TEST_F(OldJobsTest, GoWhenNobodyKnowsThem) {
  Make("deleted");
  old_jobs_.Step(0, 1);
  EXPECT_FALSE(IsThere("deleted"));
}

}  // namespace
}  // namespace headrace::jobs
