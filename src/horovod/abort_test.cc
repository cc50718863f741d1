// A rank that cannot go on: its reason is the error of all ranks, wherever they are and whatever they wait for.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "horovod/thread_world.h"

namespace headrace::hvd {
namespace {

struct AbortCase {
  int ranks;
  std::vector<std::string> machines;
};

class Aborts : public testing::TestWithParam<AbortCase> {
 protected:
  void Run(const std::function<void(Communicator&)>& program) {
    Settings settings;
    settings.parting_limit_ms = 60'000;
    RunThreadWorld(GetParam().ranks, program, {.settings = settings, .machines = GetParam().machines});
  }
  int last() const { return GetParam().ranks - 1; }
  std::string Wanted() const {
    const auto& machines = GetParam().machines;
    return fmt::format("rank {} ({}): record 7 is corrupt", last(), machines.empty() ? "machine" : machines.back());
  }
};

INSTANTIATE_TEST_SUITE_P(Layouts, Aborts,
                         testing::Values(AbortCase{2, {}}, AbortCase{3, {}}, AbortCase{2, {"a", "b"}},
                                         AbortCase{4, {"a", "a", "b", "b"}}, AbortCase{3, {"a", "b", "c"}}),
                         [](const auto& info) {
                           std::string name = std::to_string(info.param.ranks);
                           for (const auto& machine : info.param.machines) name += machine;
                           return name;
                         });

Collective BarrierOfAll() { return {.type = CollectiveType::kBarrier, .name = "all"}; }

TEST_P(Aborts, ReachesRanksThatWaitForPlannedSums) {
  std::atomic<int> told{0};
  Run([&](Communicator& communicator) {
    const auto memory = ValueOrThrow(communicator.Allocate(1 << 20));
    const auto plan = ValueOrThrow(
        communicator.MakePlan(*memory, {{"dense", 0, 1000}, {"conv", 4096, 100000}}, {.name = "gradients"}));
    Status status;
    for (int step = 0; step < 4 && status; ++step) {
      if (step == 2 && communicator.place().rank == last()) return communicator.Abort("record 7 is corrupt");
      for (size_t bucket = 0; bucket < 2 && status; ++bucket) status = plan->Start(bucket);
      for (size_t bucket = 0; bucket < 2 && status; ++bucket) status = plan->Wait(bucket);
    }
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().message(), Wanted());
    ++told;
  });
  EXPECT_EQ(told, last());
}

TEST_P(Aborts, ReachesRanksThatWaitForNamedCollectivesAndThoseThatAskLater) {
  std::atomic<int> told{0};
  Run([&](Communicator& communicator) {
    ValueOrThrow(hvd::Run(communicator, BarrierOfAll()));
    if (communicator.place().rank == last()) return communicator.Abort("record 7 is corrupt");
    for (int time = 0; time < 2; ++time) {
      const auto outcome = hvd::Run(communicator, BarrierOfAll());
      ASSERT_FALSE(outcome.has_value());
      EXPECT_EQ(outcome.error().message(), Wanted());
    }
    ++told;
  });
  EXPECT_EQ(told, last());
}

// A launcher ends all processes as soon as one has ended: nobody goes before the program of each has the reason.
TEST_P(Aborts, ReturnsWhenEverybodyKnows) {
  std::atomic<bool> aborting{false};
  std::atomic<int> asked{0};
  Run([&](Communicator& communicator) {
    if (communicator.place().rank == last()) {
      aborting = true;
      communicator.Abort("record 7 is corrupt");
    } else {
      while (!aborting) std::this_thread::yield();  // computes, and asks for nothing
      ++asked;
      EXPECT_FALSE(hvd::Run(communicator, BarrierOfAll()).has_value());
    }
    EXPECT_EQ(asked, last());
  });
}

TEST_P(Aborts, OfSeveralRanksHasOneReason) {
  std::atomic<int> told{0};
  Run([&](Communicator& communicator) {
    communicator.Abort(fmt::format("failed at {}", communicator.place().rank));
    const auto outcome = hvd::Run(communicator, BarrierOfAll());
    ASSERT_FALSE(outcome.has_value());
    EXPECT_NE(outcome.error().message().find(": failed at "), std::string::npos) << outcome.error().message();
    ++told;
  });
  EXPECT_EQ(told, GetParam().ranks);
}

}  // namespace
}  // namespace headrace::hvd
