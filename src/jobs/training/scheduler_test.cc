#include "jobs/training/scheduler.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/temporary_directory.h"
#include "jobs/training/ingest_state.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Has `free` places of one core each and starts nothing.
class CountingExecutor : public Executor {
 public:
  explicit CountingExecutor(int places) : all(places), free(places) {}

  Status Open() override { return {}; }
  Status Fits(const std::vector<InstanceSize>& hosts) const override {
    if (Cores(hosts) <= all) return {};
    return Fail(ErrorCode::kFailedPrecondition, "{} cores are too many", Cores(hosts));
  }
  Result<std::optional<std::vector<HostPlace>>> Reserve(const JobKey& job,
                                                        const std::vector<InstanceSize>& hosts) override {
    HEADRACE_TRY(Fits(hosts));
    const int wanted = Cores(hosts);
    if (wanted > free) return std::optional<std::vector<HostPlace>>();
    Restore(job, hosts, {});
    std::vector<HostPlace> places;
    for (size_t i = 0; i < hosts.size(); ++i) places.push_back({static_cast<int>(i)});
    return std::optional(places);
  }
  void Restore(const JobKey& job, const std::vector<InstanceSize>& hosts,
               const std::vector<HostPlace>& places) override {
    rooms[job] = Cores(hosts);
    restored[job] = places;
    free -= rooms[job];
  }
  void Release(const JobKey& job) override {
    free += rooms[job];
    rooms.erase(job);
  }
  std::string Wanted(const std::vector<InstanceSize>& hosts) const override {
    return fmt::format("{} of {}", Cores(hosts), all);
  }
  Status Start(const HostStart&) override { return {}; }
  bool Alive(const HostKey&) override { return false; }
  void Stop(const HostKey&, std::string_view) override {}
  void Forget(const HostKey&) override {}
  void Tidy() override {}

  int all, free;
  std::map<JobKey, int> rooms;
  std::map<JobKey, std::vector<HostPlace>> restored;

 private:
  static int Cores(const std::vector<InstanceSize>& hosts) {
    int sum = 0;
    for (const auto& host : hosts) sum += host.cpus;
    return sum;
  }
};

class SchedulerTest : public ::testing::Test {
 protected:
  // Of hosts with two cores each.
  void Create(const std::string& account, const std::string& name, int hosts = 1) {
    store::TrainingJob job;
    job.account_id = account;
    job.name = name;
    job.arn = "arn:" + account + ":" + name;
    job.request = nlohmann::json({{"ResourceConfig", {{"InstanceType", "ml.m5.large"}, {"InstanceCount", hosts}}},
                                  {"StoppingCondition", {{"MaxRuntimeInSeconds", 60}}}})
                      .dump();
    store::MoveTo(job, "Starting", "Starting the training job", now_.wall);
    ASSERT_TRUE(ValueOrThrow(rows_.Insert(job)));
  }
  store::TrainingJob Find(const std::string& account, const std::string& name) {
    return ValueOrThrow(rows_.Find(account, name)).value();
  }
  void Change(const std::string& account, const std::string& name, const store::TrainingJobs::Change& change) {
    ValueOrThrow(rows_.Update(account, name, change));
  }
  std::vector<std::string> Step() {
    now_ = now_.After(1000);
    std::vector<std::string> names;
    for (const auto& key : ValueOrThrow(scheduler_.Step(now_))) names.push_back(key.account + key.job);
    return names;
  }
  void End(const std::string& account, const std::string& name) { executor_.Release({account, name}); }

  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = ValueOrThrow(store::Database::Open(directory_ / "meta.db"));
  store::TrainingJobs rows_{*database_};
  CountingExecutor executor_{4};
  Scheduler scheduler_{*database_, executor_};
  Moment now_{1'000'000, "boot", 5000};
};

TEST_F(SchedulerTest, AdmitsInOrderAsFarAsThereIsRoom) {
  for (const char* name : {"1", "2", "3"}) Create("a", name);
  EXPECT_THAT(Step(), ElementsAre("a1", "a2"));
  EXPECT_THAT(Step(), IsEmpty());
  EXPECT_EQ(Find("a", "3").secondary_status, "Pending");
  EXPECT_EQ(Find("a", "3").transitions.back().message, "Waiting for 2 of 4");
  End("a", "1");
  EXPECT_THAT(Step(), ElementsAre("a3"));
  EXPECT_EQ(Find("a", "3").secondary_status, "Starting");
}

TEST_F(SchedulerTest, TheRowSaysThatItIsAdmitted) {
  Create("a", "1");
  EXPECT_THAT(Step(), ElementsAre("a1"));
  const auto row = Find("a", "1");
  EXPECT_EQ(row.training_start, 1'001'000);
  const auto state = ValueOrThrow(ParseIngestState(row.state));
  EXPECT_TRUE(state.admitted);
  EXPECT_EQ(state.deadline.wall, 1'061'000);
  EXPECT_EQ(state.deadline.since_boot, 66'000);
  EXPECT_EQ(state.deadline.boot, "boot");
}

TEST_F(SchedulerTest, AccountsTakeTurns) {
  for (const char* name : {"1", "2", "3"}) Create("a", name);
  Create("b", "1");
  EXPECT_THAT(Step(), ElementsAre("a1", "b1"));
  End("a", "1");
  EXPECT_THAT(Step(), ElementsAre("a2"));
}

TEST_F(SchedulerTest, AJobOfSeveralHostsIsAdmittedWhole) {
  Create("a", "small");
  EXPECT_THAT(Step(), ElementsAre("asmall"));
  Create("a", "pair", 2);
  Create("b", "late");
  EXPECT_THAT(Step(), ElementsAre("blate"));  // b's turn; the pair waits for both of its hosts
  EXPECT_THAT(Step(), IsEmpty());
  Create("b", "later");
  End("b", "late");
  EXPECT_THAT(Step(), IsEmpty());  // two cores are free, and kept for whose turn it is
  End("a", "small");
  EXPECT_THAT(Step(), ElementsAre("apair"));
  EXPECT_EQ(executor_.free, 0);
}

TEST_F(SchedulerTest, WhatNeverFitsFailsAndHoldsNobodyUp) {
  Create("a", "huge", 3);
  Create("a", "next");
  EXPECT_THAT(Step(), ElementsAre("anext"));
  const auto row = Find("a", "huge");
  EXPECT_EQ(row.status, "Failed");
  EXPECT_EQ(row.failure_reason, "ClientError: 6 cores are too many");
}

TEST_F(SchedulerTest, AStoppedJobIsLeftAlone) {
  Create("a", "1", 2);
  Create("a", "2");
  Change("a", "1", [&](store::TrainingJob& row) -> Status {
    store::Finish(row, "Stopped", "Stopped", "Training job stopped before it started", now_.wall);
    return {};
  });
  EXPECT_THAT(Step(), ElementsAre("a2"));
  EXPECT_EQ(Find("a", "1").status, "Stopped");
}

TEST_F(SchedulerTest, ARequestThatCannotBeReadIsAdmittedToFail) {
  Create("a", "1");
  Change("a", "1", [](store::TrainingJob& row) -> Status {
    row.request = R"({"ResourceConfig": 5})";
    return {};
  });
  EXPECT_THAT(Step(), ElementsAre("a1"));
  EXPECT_EQ(executor_.free, 3);
}

TEST_F(SchedulerTest, AnotherProcessFindsTheAdmittedAgainWithTheirRoom) {
  Create("a", "runs", 2);
  EXPECT_THAT(Step(), ElementsAre("aruns"));
  Create("a", "waits");
  CountingExecutor executor(4);
  Scheduler scheduler(*database_, executor);
  const auto found = ValueOrThrow(scheduler.Reattach());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0], (JobKey{"a", "runs"}));
  EXPECT_EQ(executor.free, 0);
  EXPECT_THAT(ValueOrThrow(scheduler.Step(now_)), IsEmpty());
}

TEST_F(SchedulerTest, AJobWhoseProgramHasEndedIsFollowedWithoutRoom) {
  Create("a", "ended");
  EXPECT_THAT(Step(), ElementsAre("aended"));
  Change("a", "ended", [](store::TrainingJob& row) -> Status {
    HEADRACE_ASSIGN(auto state, ParseIngestState(row.state));
    state.hosts[0].program_ended = true;
    row.state = ToJson(state);
    return {};
  });
  CountingExecutor executor(4);
  Scheduler scheduler(*database_, executor);
  EXPECT_EQ(ValueOrThrow(scheduler.Reattach()).size(), 1u);
  EXPECT_EQ(executor.free, 4);
}

}  // namespace
}  // namespace headrace::jobs
