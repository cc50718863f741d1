#include "jobs/training/local_executor.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// With a program of the test's own in the place of `headrace supervise JOBDIR`.
class LocalExecutorTest : public ::testing::Test {
 protected:
  std::string JobPath() const { return scratch_ / "jobs/1/job"; }

  std::unique_ptr<LocalExecutor> Make(const std::string& script) {
    ValueOrThrow(MakeDirectories(JobPath()));
    const auto program = scratch_ / "supervisor";
    std::ofstream(program) << "#!/bin/sh\ncd \"$2\" && echo start >>starts\n" << script << "\n";
    fs::permissions(program, fs::perms::owner_all);
    return std::make_unique<LocalExecutor>(LocalExecutorOptions{scratch_ / "jobs", program, &clock_});
  }

  HostStart Job(int attempt = 0) const {
    HostStart start{{"1", "job", attempt, "algo-1"}, {}};
    start.description.job_name = "job";
    start.description.attempt = attempt;
    return start;
  }

  template <typename Condition>
  bool Becomes(const Condition& condition) const {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  std::string Starts() const { return ReadFile(JobPath() + "/starts").value_or(""); }

  // What a supervisor does first: its lock, with its number in it; its attempt's directory.
  static constexpr const char* kRuns =
      "exec 9>>supervisor.lock && flock -x 9 && echo $$ >&9 && mkdir -p attempt-0 && exec sleep 600";

  TemporaryDirectory scratch_;
  ManualClock clock_{1000};
};

TEST_F(LocalExecutorTest, StartsOnceAndFindsWhatRunsAgain) {
  const auto first = Make(kRuns);
  EXPECT_FALSE(first->Alive(Job().key));
  ValueOrThrow(first->Start(Job()));
  EXPECT_TRUE(first->Alive(Job().key));
  ASSERT_TRUE(Becomes([&] { return fs::exists(JobPath() + "/attempt-0"); }));
  const auto second = Make(kRuns);  // as after a crash of the platform
  EXPECT_TRUE(second->Alive(Job().key));
  ValueOrThrow(second->Start(Job()));
  EXPECT_TRUE(second->Alive(Job().key));
  second->Stop(Job().key, "the test is over");
  EXPECT_TRUE(Becomes([&] { return !first->Alive(Job().key) && !second->Alive(Job().key); }));
  ValueOrThrow(second->Start(Job()));  // it has run
  EXPECT_FALSE(second->Alive(Job().key));
  EXPECT_EQ(Starts(), "start\n");
}

TEST_F(LocalExecutorTest, AHostThatHasNotBegunIsAliveForAWhile) {
  const auto executor = Make("exit 1");
  ValueOrThrow(executor->Start(Job()));
  clock_.Advance(9'999);
  EXPECT_TRUE(executor->Alive(Job().key));
  clock_.Advance(1);
  EXPECT_FALSE(executor->Alive(Job().key));
}

TEST_F(LocalExecutorTest, AHostThatHasBegunAndEndedIsGoneAtOnce) {
  const auto executor = Make("mkdir attempt-0");
  ValueOrThrow(executor->Start(Job()));
  EXPECT_TRUE(Becomes([&] { return !executor->Alive(Job().key); }));
  ValueOrThrow(executor->Start(Job(1)));  // another attempt is another host
  EXPECT_TRUE(executor->Alive(Job(1).key));
  executor->Forget(Job(1).key);
  EXPECT_FALSE(executor->Alive(Job(1).key));
}

TEST_F(LocalExecutorTest, KeepsTheDescriptionFromOthers) {
  const auto executor = Make("exit 0");
  ValueOrThrow(executor->Start(Job()));
  struct stat about {};
  ASSERT_EQ(::stat((JobPath() + "/job.json").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_EQ(ValueOrThrow(ParseJobDescription(ValueOrThrow(ReadFile(JobPath() + "/job.json")))).job_name, "job");
}

TEST_F(LocalExecutorTest, SaysThatThereIsNoProgram) {
  ValueOrThrow(MakeDirectories(JobPath()));
  LocalExecutor executor({scratch_ / "jobs", scratch_ / "missing", &clock_});
  const auto started = executor.Start(Job());
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message().find("cannot run"), std::string::npos);
  EXPECT_FALSE(executor.Alive(Job().key));
}

}  // namespace
}  // namespace headrace::jobs
