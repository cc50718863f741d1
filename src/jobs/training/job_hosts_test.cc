// Jobs of several hosts, with real supervisors. MPI and what clients see: tests/clients/test_distributed_jobs.py.
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/archive/unpack.h"
#include "jobs/directory/shared_memory.h"
#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

json OnHosts(json request, int hosts) {
  request["ResourceConfig"]["InstanceCount"] = hosts;
  return request;
}

// Whichever host it is, for a shell.
constexpr const char* kHost = "$SM_CURRENT_HOST";

TEST(JobHosts, RunBesideEachOtherAndLeaveOneModel) {
  Platform platform;
  platform.Start();
  const std::string h = kHost;
  platform.Create("job", OnHosts(Platform::Script("echo " + h + " on $(hostname); echo " + h + " >/opt/ml/model/" + h +
                                                  "; echo " + h + " >$HEADRACE_SHARED_MEMORY_DIR/" + h +
                                                  "; while [ $(ls $HEADRACE_SHARED_MEMORY_DIR | wc -l) -lt 2 ]; do "
                                                  "sleep 0.01; done"),
                                 2));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  for (const char* host : {"algo-1", "algo-2"})
    EXPECT_THAT(platform.Log("job", host), Contains(std::string(host) + " on " + host));
  TemporaryDirectory scratch;
  ValueOrThrow(WriteFileAtomically(scratch / "model.tar.gz", platform.GetObject("out/job/output/model.tar.gz")));
  ValueOrThrow(UnpackArchive(scratch / "model.tar.gz", scratch / "model"));
  EXPECT_EQ(ReadFile(scratch / "model/algo-1").value_or(""), "algo-1\n");
  EXPECT_EQ(ReadFile(scratch / "model/algo-2").value_or(""), "algo-2\n");
  EXPECT_FALSE(std::filesystem::exists(SharedMemoryOf(JobDirectory(platform.JobPath("job")))));
}

// Of a job whose hosts leave what does not fit together: what its log says of that.
std::vector<std::string> Warnings(Platform& platform, const std::string& archive) {
  auto request =
      OnHosts(Platform::Script("cd /opt/ml/model; echo same >alike; echo $SM_CURRENT_HOST >differs; "
                               "if [ $SM_CURRENT_HOST = algo-1 ]; then echo file >export; mkdir logs; echo x >logs/x; "
                               "else mkdir export; echo x >export/x; echo y >export/y; echo file >logs; fi"),
              2);
  request["OutputDataConfig"]["CompressionType"] = archive;
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  std::vector<std::string> warnings;
  for (const auto& line : platform.Log("job"))
    if (line.starts_with("[headrace] warning: model")) warnings.push_back(line);
  return warnings;
}

TEST(JobHosts, WhatDoesNotFitTogetherIsNamedAndTheFirstOnesStays) {
  Platform platform;
  platform.Start();
  EXPECT_THAT(
      Warnings(platform, "GZIP"),
      testing::UnorderedElementsAre(
          "[headrace] warning: model.tar.gz: differs: algo-2 has left another file than algo-1, whose is stored",
          "[headrace] warning: model.tar.gz: export: algo-2 has left a directory, algo-1 a file, which is stored",
          "[headrace] warning: model.tar.gz: logs: algo-2 has left a file, algo-1 a directory, which is stored"));
  TemporaryDirectory scratch;
  ValueOrThrow(WriteFileAtomically(scratch / "model.tar.gz", platform.GetObject("out/job/output/model.tar.gz")));
  ValueOrThrow(UnpackArchive(scratch / "model.tar.gz", scratch / "model"));
  EXPECT_EQ(ReadFile(scratch / "model/export").value_or(""), "file\n");
  EXPECT_EQ(ReadFile(scratch / "model/logs/x").value_or(""), "x\n");
  EXPECT_EQ(ReadFile(scratch / "model/differs").value_or(""), "algo-1\n");
}

TEST(JobHosts, SoItIsWithoutArchives) {
  Platform platform;
  platform.Start();
  EXPECT_THAT(Warnings(platform, "NONE"),
              testing::UnorderedElementsAre(
                  "[headrace] warning: model/differs: algo-2 has left another file than algo-1, whose is stored",
                  "[headrace] warning: model/export: algo-2 has left a directory, algo-1 a file, which is stored",
                  "[headrace] warning: model/logs: algo-2 has left a file, algo-1 a directory, which is stored"));
  EXPECT_EQ(platform.GetObject("out/job/output/model/export"), "file\n");
  EXPECT_EQ(platform.GetObject("out/job/output/model/export/x"), "");
  EXPECT_EQ(platform.GetObject("out/job/output/model/alike"), "same\n");
}

TEST(JobHosts, OneThatFailsEndsTheOthersAndSaysWhy) {
  Platform platform;
  platform.Start();
  platform.Create("job", OnHosts(Platform::Script("echo up; if [ $SM_CURRENT_HOST = algo-2 ]; then echo bad luck >&2; "
                                                  "exit 7; fi; trap '' TERM; sleep 1000"),
                                 2));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("AlgorithmError: algo-2: exit code: 7"));
  EXPECT_THAT(job.failure_reason, HasSubstr("bad luck"));
}

TEST(JobHosts, OneThatIsLostIsStartedAgainWithAllOthers) {
  Platform platform;
  platform.options().checkpoint_sync_millis = 600'000;  // no look but the last one of an attempt
  platform.Start();
  auto request =
      OnHosts(Platform::Script("echo attempt; cd /opt/ml/checkpoints; if [ -e of-algo-2 ]; then cat of-algo-2; fi; "
                               "echo from $SM_CURRENT_HOST >.new; mv .new of-$SM_CURRENT_HOST; "
                               "while [ ! -e /opt/ml/output/go ]; do sleep 0.01; done"),
              2);
  request["RetryStrategy"] = {{"MaximumRetryAttempts", 1}};
  request["CheckpointConfig"] = {{"S3Uri", "s3://bucket/checkpoints"}};
  platform.Create("job", request);
  platform.WaitForLine("job", "attempt");
  const JobDirectory directory(platform.JobPath("job"));
  platform.WaitFor("job", [&](const store::TrainingJob&) {
    return std::filesystem::exists(directory.Host("algo-2").ml() + "/checkpoints/of-algo-2");
  });
  ::kill(std::stoi(ValueOrThrow(ReadFile(directory.Host("algo-2").lock()))), SIGKILL);
  platform.WaitFor("job", [&](const store::TrainingJob&) {
    const auto runs = [&](const char* host) {
      return ReadFile(directory.Host(host).log(1)).value_or("").find(" o attempt\n") != std::string::npos;
    };
    return runs("algo-1") && runs("algo-2");
  });
  for (const char* host : {"algo-1", "algo-2"}) std::ofstream(directory.Host(host).ml() + "/output/go") << "";
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  for (const char* host : {"algo-1", "algo-2"}) EXPECT_THAT(platform.Log("job", host), Contains("from algo-2"));
}

TEST(JobHosts, AStopReachesAllOfThem) {
  Platform platform;
  platform.Start();
  platform.Create("job", OnHosts(Platform::Script("trap 'echo asked; exit 0' TERM; echo up; while true; do sleep 0.01; "
                                                  "done"),
                                 2));
  platform.WaitForLine("job", "up");
  platform.WaitFor("job", [&](const store::TrainingJob&) { return !platform.Log("job", "algo-2").empty(); });
  ASSERT_TRUE(platform.service().RequestStop(Platform::kAccount, "job"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Stopped") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("asked"));
}

}  // namespace
}  // namespace headrace::jobs
