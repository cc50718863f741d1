#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/testing/temporary_directory.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/directory/shared_memory.h"
#include "jobs/directory/spool.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Spool, IsReadBehindTheWriterLineByLine) {
  TemporaryDirectory dir;
  auto writer = ValueOrThrow(SpoolWriter::Create(dir / "s"));
  EXPECT_TRUE(ValueOrThrow(ReadSpool(dir / "s", 0, 100)).lines.empty());
  ASSERT_TRUE(writer.Append("one\ntwo\nto"));
  auto piece = ValueOrThrow(ReadSpool(dir / "s", 0, 100));
  EXPECT_THAT(piece.lines, ElementsAre("one", "two"));
  EXPECT_EQ(piece.next_offset, 8u);
  EXPECT_TRUE(ValueOrThrow(ReadSpool(dir / "s", 8, 100)).lines.empty());  // torn
  ASSERT_TRUE(writer.Append("rn\n"));
  EXPECT_THAT(ValueOrThrow(ReadSpool(dir / "s", 8, 100)).lines, ElementsAre("torn"));
  EXPECT_THAT(ValueOrThrow(ReadSpool(dir / "s", 0, 2)).lines, ElementsAre("one", "two", "torn"));  // at least a line
  EXPECT_TRUE(ValueOrThrow(ReadSpool(dir / "absent", 0, 100)).lines.empty());
  EXPECT_FALSE(SpoolWriter::Create(dir / "s"));
}

TEST(Spool, ALineThatFoundNoRoomIsCompletedWhenThereIsSome) {
  TemporaryDirectory dir;
  auto writer = ValueOrThrow(SpoolWriter::Create(dir / "s"));
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto one = writer.Append("first\n"), torn = writer.Append("second\n"), lost = writer.Append("lost\n");
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old);
  EXPECT_TRUE(one);
  EXPECT_FALSE(torn);
  EXPECT_FALSE(lost);
  EXPECT_TRUE(writer.Append("third\n"));
  EXPECT_THAT(ValueOrThrow(ReadSpool(dir / "s", 0, 100)).lines, ElementsAre("first", "second", "third"));
}

TEST(HostDirectory, NoSupervisorIsKilledWhereNoneLives) {
  TemporaryDirectory dir;
  const HostDirectory directory(dir.path());
  EXPECT_TRUE(directory.KillSupervisor());
  std::ofstream(directory.lock()) << ::getpid() << "\n";  // of an earlier one, whose number we have now
  EXPECT_TRUE(directory.KillSupervisor());
}

TEST(HostDirectory, TheLockTellsWhetherASupervisorLives) {
  TemporaryDirectory dir;
  const HostDirectory directory(dir.path());
  EXPECT_FALSE(directory.SupervisorAlive());
  {
    const auto lock = ValueOrThrow(directory.Lock());
    EXPECT_TRUE(directory.SupervisorAlive());
    EXPECT_FALSE(directory.Lock());
  }
  EXPECT_FALSE(directory.SupervisorAlive());
  EXPECT_FALSE(directory.StopRequested());
  ASSERT_TRUE(directory.RequestStop());
  EXPECT_TRUE(directory.StopRequested());
}

TEST(JobDirectory, AJobThatAnEarlierBuildHasBegunHasItsHostInItsOwnDirectory) {
  TemporaryDirectory dir;
  const JobDirectory job(dir.path());
  EXPECT_EQ(job.Host("algo-2").ml(), dir / "hosts/algo-2/files/ml");
  std::ofstream(dir / "job.json") << "{}";
  EXPECT_EQ(job.Host("algo-1").ml(), dir / "algo-1/ml");
  EXPECT_EQ(job.Host("algo-1").lock(), dir / "supervisor.lock");
  EXPECT_EQ(job.Host("algo-1").stop(), job.stop());
  std::filesystem::create_directory(dir / "hosts");
  EXPECT_EQ(job.Host("algo-1").ml(), dir / "hosts/algo-1/files/ml");
}

TEST(SharedMemory, IsTheJobsAloneAndGoesWithIt) {
  TemporaryDirectory dir;
  const JobDirectory job(dir / "job"), other(dir / "other");
  EXPECT_EQ(SharedMemoryOf(job), SharedMemoryOf(job));
  EXPECT_NE(SharedMemoryOf(job), SharedMemoryOf(other));
  std::filesystem::create_directory(dir / "job");
  ASSERT_TRUE(MakeSharedMemory(job));
  std::ofstream(SharedMemoryOf(job) + "/arena") << "of an attempt before";
  ASSERT_TRUE(MakeSharedMemory(job));
  EXPECT_TRUE(std::filesystem::is_empty(SharedMemoryOf(job)));
  EXPECT_EQ(std::filesystem::status(SharedMemoryOf(job)).permissions(), std::filesystem::perms::owner_all);
  ASSERT_TRUE(RemoveSharedMemory(job));
  ASSERT_TRUE(RemoveSharedMemory(job));
  EXPECT_FALSE(std::filesystem::exists(SharedMemoryOf(job)));
}

TEST(JobDescription, SurvivesTheRoundTrip) {
  JobDescription job;
  job.job_name = "j";
  job.request = ValueOrThrow(DecodeTrainingRequest({{"HyperParameters", {{"a", "1"}}}}));
  job.channels = {{.name = "train", .mode = "Pipe", .shuffle_seed = 7, .attributes = {"x-ref"}}};
  job.channels[0].objects = {{.blob = "/b", .name = "n", .key = "k", .etag = "e", .size = 3}, {.literal = "text"}};
  job.source = JobDescription::Source{"/s", "s3://b/s"};
  job.checkpoints = JobDescription::Checkpoints{"/opt/ml/checkpoints", {}};
  job.channels[0].share = {1, 3};
  job.shared_memory = "/dev/shm/x";
  job.environment = {{"K", "V"}};
  job.cpus = {1, 3};
  job.tasks = 384;
  job.disk_bytes = 1 << 30;
  job.log_bytes = 1 << 20;
  job.deadline = {5'000, "boot", 70};
  job.bubblewrap = false;
  job.no_bubblewrap_reason = "why";
  const auto read = ValueOrThrow(ParseJobDescription(ToJson(job)));
  EXPECT_EQ(ToJson(read), ToJson(job));
  EXPECT_EQ(read.channels[0].objects[1].literal, "text");
  EXPECT_EQ(read.request.hyperparameters.Text("a"), "1");
  EXPECT_THAT(ParseJobDescription("{\"version\": 2}").error().message(), HasSubstr("version 2, wanted 1"));
  EXPECT_FALSE(ParseJobDescription("torn"));
}

}  // namespace
}  // namespace headrace::jobs
