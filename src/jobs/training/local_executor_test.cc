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

// With a program of the test's own in the place of `headrace-supervise JOBDIR HOST`.
class LocalExecutorTest : public ::testing::Test {
 protected:
  std::string JobPath() const { return scratch_ / "jobs/1/job/hosts/algo-1"; }

  std::unique_ptr<LocalExecutor> Make(const std::string& script) {
    ValueOrThrow(MakeDirectories(JobPath()));
    ValueOrThrow(MakeDirectories(scratch_ / "libexec"));
    const auto program = scratch_ / "libexec/headrace-supervise";
    std::ofstream(program) << "#!/bin/sh\ncd \"$1/hosts/$2\" && echo start >>starts\n" << script << "\n";
    fs::permissions(program, fs::perms::owner_all);
    return std::make_unique<LocalExecutor>(Options(scratch_ / "bin/headrace"));
  }

  LocalExecutorOptions Options(const std::string& headrace) {
    LocalExecutorOptions options;
    options.machine = &machine_;
    options.steady = &clock_;
    options.data_dir = scratch_.path();
    options.headrace_binary = headrace;
    return options;
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
  Machine machine_{{.job_cores = 2, .sandbox = false, .python = "/nowhere/python3"}};
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

TEST_F(LocalExecutorTest, HostsOfAJobMeetAtPortsOfTheirOwn) {
  const auto ports = [this](LocalExecutor& executor, const std::string& job, const std::string& host) {
    HostStart start = Job();
    start.key.job = job;
    start.key.host = host;
    start.description.hosts = {"algo-1", "algo-2"};
    start.description.request =
        ValueOrThrow(DecodeTrainingRequest({{"HyperParameters", {{"sagemaker_parameter_server_enabled", "true"}}},
                                            {"ResourceConfig", {{"InstanceCount", 2}}}}));
    ValueOrThrow(executor.Start(start));
    const auto path = scratch_ / ("jobs/1/" + job + "/hosts/" + host + "/job.json");
    return ValueOrThrow(ParseJobDescription(ValueOrThrow(ReadFile(path)))).ports;
  };
  const auto executor = Make("exit 0");
  const auto first = ports(*executor, "job", "algo-1");
  EXPECT_EQ(first.size(), 4u);
  const auto next = Make("exit 0");  // as after a crash of the platform
  EXPECT_EQ(ports(*next, "job", "algo-2"), first);
  for (const int port : ports(*next, "other", "algo-1")) EXPECT_EQ(std::count(first.begin(), first.end(), port), 0);
}

TEST_F(LocalExecutorTest, GivesEachHostItsRoom) {
  const auto executor = Make("exit 0");
  const JobKey key{"1", "job"};
  const std::vector<InstanceSize> hosts = {{4, 1 << 30}, {4, 1 << 30}};
  EXPECT_EQ(executor->Wanted(hosts), "2 of this machine's 2 cores");
  const auto places = ValueOrThrow(executor->Reserve(key, hosts));
  ASSERT_TRUE(places);
  ASSERT_EQ(places->size(), 2u);
  EXPECT_NE((*places)[0], (*places)[1]);
  EXPECT_FALSE(ValueOrThrow(executor->Reserve({"1", "other"}, {{1, 0}})));

  HostStart second = Job();
  second.key.host = "algo-2";
  second.description.hosts = {"algo-1", "algo-2"};
  second.description.request = ValueOrThrow(
      DecodeTrainingRequest({{"ResourceConfig", {{"InstanceType", "ml.m5.large"}, {"InstanceCount", 2}}}}));
  ValueOrThrow(executor->Start(second));
  const auto told =
      ValueOrThrow(ParseJobDescription(ValueOrThrow(ReadFile(scratch_ / "jobs/1/job/hosts/algo-2/job.json"))));
  const bool real = (*places)[1].front() >= 0;  // a machine of one core has a place without one
  EXPECT_EQ(told.cpus, real ? (*places)[1] : std::vector<int>());
  EXPECT_GT(told.memory_bytes, 0u);
  EXPECT_FALSE(told.bubblewrap);
  EXPECT_NE(told.no_bubblewrap_reason, "");

  const auto next = Make("exit 0");  // as after a crash of the platform; the machine is the same one here
  executor->Release(key);
  next->Restore(key, hosts, *places);
  EXPECT_FALSE(ValueOrThrow(next->Reserve({"1", "other"}, {{1, 0}})));
  next->Release(key);
  EXPECT_TRUE(ValueOrThrow(next->Reserve({"1", "other"}, {{2, 0}})));
}

TEST_F(LocalExecutorTest, RefusesMoreHostsThanThereArePlaces) {
  EXPECT_TRUE(Make("exit 0")->Fits({{8, 0}, {8, 0}}));
  EXPECT_FALSE(Make("exit 0")->Fits({{1, 0}, {1, 0}, {1, 0}}));
  const auto refused = Make("exit 0")->Reserve({"1", "job"}, {{1, 0}, {1, 0}, {1, 0}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find("job-cpus"), std::string::npos);
}

TEST(CoresOfHosts, AreThoseOfTheirTypesAsFarAsTheMachineGoes) {
  using Counts = std::vector<int>;
  EXPECT_EQ(CoresOfHosts({{2, 0}}, 8), Counts({2}));
  EXPECT_EQ(CoresOfHosts({{16, 0}}, 8), Counts({8}));
  EXPECT_EQ(CoresOfHosts({{0, 0}}, 8), Counts({8}));  // "local" is the whole machine
  EXPECT_EQ(CoresOfHosts({{2, 0}, {4, 0}}, 8), Counts({2, 4}));
  EXPECT_EQ(CoresOfHosts({{4, 0}, {4, 0}}, 2), Counts({1, 1}));
  EXPECT_EQ(CoresOfHosts({{0, 0}, {0, 0}, {0, 0}}, 8), Counts({2, 2, 2}));
  EXPECT_EQ(CoresOfHosts({{4, 0}, {1, 0}, {1, 0}, {1, 0}}, 4), Counts({1, 1, 1, 1}));
  EXPECT_EQ(CoresOfHosts({{4, 0}, {4, 0}, {4, 0}}, 2), Counts({1, 1, 1}));  // too many, whatever they get
}

TEST_F(LocalExecutorTest, SaysThatThereIsNoProgram) {
  ValueOrThrow(MakeDirectories(JobPath()));
  LocalExecutor executor(Options(scratch_ / "missing/bin/headrace"));
  const auto started = executor.Start(Job());
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message().find("cannot run"), std::string::npos);
  EXPECT_FALSE(executor.Alive(Job().key));
}

}  // namespace
}  // namespace headrace::jobs
