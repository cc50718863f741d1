// Whole jobs whose requests came past the API's checks: the supervisor follows no path out of the job either.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

json Submit(const std::string& directory, const std::string& program = "run.sh") {
  json request = Platform::Script("");
  request["AlgorithmSpecification"] = {{"TrainingInputMode", "File"}};
  request["HyperParameters"] = {{"sagemaker_program", json(program).dump()},
                                {"sagemaker_submit_directory", json(directory).dump()}};
  return request;
}

json ChannelCalled(const std::string& name, const std::string& mode = "File") {
  json channel = {{"ChannelName", name}, {"InputMode", mode}};
  channel["DataSource"]["S3DataSource"] = {{"S3DataType", "S3Prefix"}, {"S3Uri", "s3://bucket/code/"}};
  return channel;
}

TEST(JobPathsTest, NoSourceOutsideOfTheJob) {
  Platform platform;
  platform.Start();
  int number = 0;
  for (const char* path :
       {"/opt/ml/../..", "/opt/ml/../../../../..", "/opt/ml/..", "/etc", "/opt/ml/", "/opt/ml//input"}) {
    const auto name = "job-" + std::to_string(number++);
    platform.Create(name, Submit(path));
    const auto job = platform.WaitForEnd(name);
    EXPECT_EQ(job.status, "Failed") << path;
    EXPECT_THAT(job.failure_reason, StartsWith("ClientError: sagemaker_submit_directory: found '" + std::string(path)));
  }
}

TEST(JobPathsTest, ASourceBelowOptMl) {
  Platform platform;
  platform.Start();
  platform.PutObject("code/sub/run.sh", "echo from below; cat ../sub/run.sh | wc -l");
  auto request = Submit("/opt/ml/input/data/code/", "./sub/run.sh");
  request["InputDataConfig"] = json::array({ChannelCalled("code")});
  platform.Create("job", request);
  EXPECT_EQ(platform.WaitForEnd("job").failure_reason, "");
  EXPECT_THAT(platform.Log("job"), Contains("from below"));
}

TEST(JobPathsTest, NoEntryPointOutsideOfTheSource) {
  Platform platform;
  platform.Start();
  auto request = platform.Source({{"run.sh", "true"}}, "../../../../bin/true");
  platform.Create("job", request);
  EXPECT_THAT(platform.WaitForEnd("job").failure_reason, StartsWith("ClientError: sagemaker_program: there is no"));
}

TEST(JobPathsTest, NoChannelAndNoCheckpointsOutsideOfTheJob) {
  Platform platform;
  platform.Start();
  platform.PutObject("code/x", "x");
  for (const char* name : {".", ".."}) {
    auto request = Platform::Script("true");
    request["InputDataConfig"] = json::array({ChannelCalled(name)});
    platform.Create("channel" + std::string(name), request);
    EXPECT_EQ(platform.WaitForEnd("channel" + std::string(name)).status, "Failed");
  }
  for (const char* path : {"/opt/ml/../../x", "/etc", "/x/../../y"}) {
    auto request = Platform::Script("true");
    request["CheckpointConfig"] = {{"S3Uri", "s3://bucket/c"}, {"LocalPath", path}};
    const auto name = "checkpoints-" + std::to_string(std::string(path).size());
    platform.Create(name, request);
    EXPECT_THAT(platform.WaitForEnd(name).failure_reason, HasSubstr("CheckpointConfig.LocalPath: found '"));
  }
}

TEST(JobPathsTest, HolesAndDeepTreesOfAModelAreStored) {
  Platform platform;
  platform.Start();
  platform.Create("job", Platform::Script("cd /opt/ml/model; truncate -s 4T hole; for i in $(seq 60); do d=$(printf "
                                          "'%0100d' $i); mkdir $d; cd ./$d; done; echo deep > file"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_FALSE(std::filesystem::exists(platform.JobPath("job") + "/hosts/algo-1/files"));
  EXPECT_LT(platform.GetObject("out/job/output/model.tar.gz").size(), size_t{1} << 20);
}

}  // namespace
}  // namespace headrace::jobs
