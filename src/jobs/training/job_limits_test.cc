// Whole jobs: what keeps them within bounds, and what they say when they meet one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/archive/testing/forger.h"
#include "jobs/sandbox/sandbox.h"
#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(JobLimitsTest, AJobThatOutgrowsItsMemorySaysSo) {
  Platform platform;
  platform.executor_options().memory_bytes = 96 << 20;
  platform.Start();
  platform.Create(
      "job", Platform::Script("echo growing; x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 60; echo ${#x}"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("AlgorithmError: out of memory: the job used "));
  EXPECT_THAT(job.failure_reason, HasSubstr(" of the 96.0 MiB of ml.m5.large and was killed, exit code: 137"));
  EXPECT_THAT(job.failure_reason, HasSubstr("growing"));
}

TEST(JobLimitsTest, NetworkIsolationLeavesTheLoopbackOnly) {
  if (!ProbeBubblewrap()) GTEST_SKIP() << "no sandbox on this machine";
  Platform platform;
  platform.Start();
  // As the SDK sends it: the source comes in a channel, because the job could not fetch it.
  auto request =
      platform.Source({{"train.sh", "#!/bin/sh\ngrep -c : /proc/net/dev; grep -o 'lo:' /proc/net/dev\n"}}, "train.sh");
  platform.PutObject("code/sourcedir.tar.gz", platform.GetObject("source/sourcedir.tar.gz"));
  request["HyperParameters"]["sagemaker_submit_directory"] = "\"/opt/ml/input/data/code/sourcedir.tar.gz\"";
  request["InputDataConfig"] = {
      {{"ChannelName", "code"},
       {"DataSource", {{"S3DataSource", {{"S3DataType", "S3Prefix"}, {"S3Uri", "s3://bucket/code/"}}}}}}};
  request["EnableNetworkIsolation"] = true;
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("1"));
  EXPECT_THAT(platform.Log("job"), Contains("lo:"));
}

TEST(JobLimitsTest, NetworkIsolationIsNotPromisedWithoutASandbox) {
  Platform platform;
  platform.machine_options().sandbox = false;
  platform.Start();
  auto request = Platform::Script("echo ran");
  request["EnableNetworkIsolation"] = true;
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("ClientError: EnableNetworkIsolation needs a sandbox"));
  EXPECT_THAT(platform.Log("job"), Not(Contains("ran")));
}

TEST(JobLimitsTest, ASilentJobIsSeenToLive) {
  Platform platform;
  platform.options().heartbeat_seconds = 1;
  platform.Start();
  platform.Create("job", Platform::Script("echo begin; while [ ! -e $SM_OUTPUT_DIR/go ]; do sleep 0.05; done"));
  platform.WaitFor("job", [&](const store::TrainingJob&) {
    const auto log = platform.Log("job");
    return std::any_of(log.begin(), log.end(),
                       [](const std::string& line) { return line.starts_with("[headrace] Training since "); });
  });
  std::ofstream(platform.JobPath("job") + "/hosts/algo-1/files/ml/output/go") << "";
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed");
  EXPECT_THAT(platform.Log("job"), Contains(HasSubstr("no new line for 1 s; CPU ")));
}

TEST(JobLimitsTest, HostileSourcesAreRefusedWithTheEntrysName) {
  Platform platform;
  platform.Start();
  const auto request = platform.Source({{"train.sh", "#!/bin/sh\necho ran\n"}}, "train.sh");
  TemporaryDirectory directory;
  const auto refusal = [&](const std::string& job, const std::function<void(Forger&)>& forge) {
    const auto path = directory / (job + ".tar.gz");
    {
      Forger forger(path);
      forger.Add("train.sh", AE_IFREG, "", "#!/bin/sh\necho ran\n");
      forge(forger);
    }
    platform.PutObject("source/sourcedir.tar.gz", ValueOrThrow(ReadFile(path)));
    platform.Create(job, request);
    const auto ended = platform.WaitForEnd(job);
    EXPECT_EQ(ended.status, "Failed");
    EXPECT_THAT(platform.Log(job), Not(Contains("ran")));
    EXPECT_THAT(ended.failure_reason,
                StartsWith("ClientError: sagemaker_submit_directory s3://bucket/source/sourcedir.tar.gz: the archive"));
    return ended.failure_reason;
  };
  EXPECT_THAT(refusal("absolute", [](Forger& f) { f.Add("/etc/cron.d/x", AE_IFREG, "", "x"); }),
              HasSubstr("'/etc/cron.d/x' has an absolute name"));
  EXPECT_THAT(refusal("above", [](Forger& f) { f.Add("a/../../../x", AE_IFREG, "", "x"); }),
              HasSubstr("'a/../../../x' leads out of the directory"));
  EXPECT_THAT(refusal("link", [](Forger& f) { f.Add("data", AE_IFLNK, "/etc"); }),
              HasSubstr("'data' is a link that leads outside, to '/etc'"));
  EXPECT_THAT(refusal("hardlink", [](Forger& f) { f.Add("shadow", AE_IFREG, "/etc/shadow", "", true); }),
              HasSubstr("'shadow' is a hard link that leads outside, to '/etc/shadow'"));
  EXPECT_THAT(refusal("device", [](Forger& f) { f.Add("disk", AE_IFBLK); }),
              HasSubstr("'disk' is a device, pipe or socket"));
  EXPECT_THAT(refusal("bomb", [](Forger& f) { f.Add("zeros", AE_IFREG, "", std::string(80 << 20, '\0')); }),
              HasSubstr("unpacks to more than 200 times its size, with its entry 'zeros'"));
}

}  // namespace
}  // namespace headrace::jobs
