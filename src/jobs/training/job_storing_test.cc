// What a job leaves takes as long to be stored as it is large: a stop and the server's end do not wait for it.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class JobStoring : public ::testing::Test {
 protected:
  JobStoring() {
    platform_.options().stop_grace_seconds = 1;
    platform_.Start();
  }

  // A job that is over at once, and whose model is small on the disk and would take twenty minutes to be read.
  void StoreForLong(const std::string& name) {
    auto request = Platform::Script("echo small > /opt/ml/model/a; truncate -s 600G /opt/ml/model/b");
    request["OutputDataConfig"]["CompressionType"] = "NONE";
    request["ResourceConfig"]["VolumeSizeInGB"] = 1000;
    platform_.Create(name, request);
    WaitUntilItIsStored(name);
  }
  // The first file is stored, and the second one is being read.
  void WaitUntilItIsStored(const std::string& name) {
    const auto spare = platform_.JobPath(name) + "/hosts/algo-1/artifacts.upload";
    platform_.WaitFor(name, [&](const store::TrainingJob& job) {
      return store::IsTerminal(job.status) ||
             (platform_.GetObject("out/" + name + "/output/model/a") == "small\n" && std::filesystem::exists(spare));
    });
  }

  Platform platform_;
};

TEST_F(JobStoring, AStopGivesItUpAfterTheGrace) {
  StoreForLong("j");
  ASSERT_EQ(platform_.Find("j").status, "InProgress");
  ASSERT_TRUE(platform_.service().RequestStop(Platform::kAccount, "j"));
  const auto job = platform_.WaitForEnd("j");
  EXPECT_EQ(job.status, "Stopped");
  EXPECT_EQ(job.secondary_status, "Stopped");
  EXPECT_EQ(job.failure_reason, "");
  EXPECT_EQ(job.model_artifacts, "s3://bucket/out/j/output/model/");
  EXPECT_EQ(platform_.GetObject("out/j/output/model/b"), "");
  EXPECT_THAT(platform_.Log("j"), Contains(HasSubstr("not all that it left is stored")));
}

TEST_F(JobStoring, TheNextServerGoesOnWithIt) {
  StoreForLong("j");
  platform_.Stop();
  ASSERT_EQ(platform_.Find("j").status, "InProgress");
  EXPECT_TRUE(std::filesystem::exists(platform_.JobPath("j") + "/hosts/algo-1/artifacts/model/b"));
  platform_.Start();
  WaitUntilItIsStored("j");
  ASSERT_TRUE(platform_.service().RequestStop(Platform::kAccount, "j"));
  EXPECT_EQ(platform_.WaitForEnd("j").status, "Stopped");
}

}  // namespace
}  // namespace headrace::jobs
