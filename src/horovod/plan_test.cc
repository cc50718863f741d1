// The planned allreduce over threads as ranks.
#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include <gtest/gtest.h>

#include "horovod/thread_world.h"

namespace headrace::hvd {
namespace {

struct PlanCase {
  int ranks;
  std::vector<std::string> machines;
  Compression compression = Compression::kNone;
};

class Plans : public testing::TestWithParam<PlanCase> {};

INSTANTIATE_TEST_SUITE_P(All, Plans,
                         testing::Values(PlanCase{1, {}}, PlanCase{2, {}}, PlanCase{3, {}}, PlanCase{4, {}},
                                         PlanCase{2, {"a", "b"}}, PlanCase{4, {"a", "a", "b", "b"}},
                                         PlanCase{4, {"a", "b", "b", "b"}},
                                         PlanCase{2, {"a", "b"}, Compression::kFloat16},
                                         PlanCase{3, {"a", "b", "c"}, Compression::kBFloat16}));

// Steps of buckets of all sizes: exact sums, and the same bits on all ranks.
TEST_P(Plans, AverageStepAfterStep) {
  const PlanCase& wanted = GetParam();
  std::mutex mutex;
  std::vector<std::vector<float>> results;  // by rank, of the last step
  RunThreadWorld(wanted.ranks,
                 [&](Communicator& communicator) {
                   const int64_t counts[] = {1, 100, 5000, 70001, 700000};
                   std::vector<Bucket> buckets;
                   size_t bytes = 0;
                   for (const int64_t count : counts) {
                     buckets.push_back({fmt::format("bucket {}", count), bytes, count});
                     bytes += (static_cast<size_t>(count) * 4 + 63) / 64 * 64;
                   }
                   const auto memory = ValueOrThrow(communicator.Allocate(bytes));
                   const auto plan = ValueOrThrow(communicator.MakePlan(
                       *memory, buckets, {.name = "gradients", .compression = wanted.compression}));
                   const int rank = communicator.place().rank, ranks = communicator.place().size;
                   for (int step = 0; step < 5; ++step) {
                     for (size_t b = 0; b < buckets.size(); ++b) {
                       auto* values = reinterpret_cast<float*>(memory->data() + buckets[b].offset);
                       for (int64_t i = 0; i < buckets[b].count; ++i)
                         values[i] = static_cast<float>((rank + 1) * (i % 13 + step));
                       ValueOrThrow(plan->Start(b));
                     }
                     for (size_t b = 0; b < buckets.size(); ++b) {
                       ValueOrThrow(plan->Wait(b));
                       EXPECT_TRUE(ValueOrThrow(plan->Done(b)));
                       const auto* values = reinterpret_cast<const float*>(memory->data() + buckets[b].offset);
                       for (int64_t i = 0; i < buckets[b].count; ++i)
                         ASSERT_NEAR(values[i], static_cast<float>(i % 13 + step) * static_cast<float>(ranks + 1) / 2,
                                     wanted.compression == Compression::kNone ? 1e-5 : 0.2)
                             << step << " " << b << " " << i;
                     }
                   }
                   const auto* values = reinterpret_cast<const float*>(memory->data());
                   const std::lock_guard lock(mutex);
                   results.emplace_back(values, values + bytes / 4);
                 },
                 {.machines = wanted.machines});
  for (const auto& result : results) EXPECT_EQ(std::memcmp(result.data(), results[0].data(), result.size() * 4), 0);
}

// Ranks that wait for different plans wait for each other's work.
TEST(PlansBesideEachOther, AreWorkedOnByWhoeverWaits) {
  for (const auto& machines : {std::vector<std::string>{}, {"a", "a", "b", "b"}}) {
    Settings settings;
    settings.stall_limit_ms = 20'000;
    RunThreadWorld(
        4,
        [](Communicator& communicator) {
          constexpr int64_t kCount = 50'000;
          const int rank = communicator.place().rank;
          std::unique_ptr<SharedMemory> memories[2];
          std::unique_ptr<Plan> plans[2];
          for (int i = 0; i < 2; ++i) {
            memories[i] = ValueOrThrow(communicator.Allocate(kCount * sizeof(float)));
            plans[i] = ValueOrThrow(communicator.MakePlan(*memories[i], {{"all", 0, kCount}},
                                                          {.name = "plan " + std::to_string(i), .op = ReduceOp::kSum}));
          }
          for (int step = 1; step <= 20; ++step) {
            for (int i = 0; i < 2; ++i) {
              auto* values = reinterpret_cast<float*>(memories[i]->data());
              std::fill_n(values, kCount, static_cast<float>(rank + i * step));
              ValueOrThrow(plans[i]->Start(0));
            }
            for (int turn = 0; turn < 2; ++turn) {
              const int i = (turn + rank) % 2;
              ValueOrThrow(plans[i]->Wait(0));
              const auto* sums = reinterpret_cast<const float*>(memories[i]->data());
              for (int64_t k = 0; k < kCount; ++k) ASSERT_EQ(sums[k], static_cast<float>(6 + 4 * i * step)) << step;
            }
          }
        },
        {.settings = settings, .machines = machines});
  }
}

TEST(PlansDiffer, IsAnErrorOnEveryRankThatNamesBoth) {
  std::atomic<int> errors{0};
  RunThreadWorld(3, [&](Communicator& communicator) {
    const auto memory = ValueOrThrow(communicator.Allocate(4096));
    const int64_t count = communicator.place().rank == 2 ? 11 : 10;
    const auto plan = communicator.MakePlan(*memory, {{"dense/kernel", 0, count}}, {.name = "gradients"});
    ASSERT_FALSE(plan.has_value());
    EXPECT_EQ(
        plan.error().message(),
        "the ranks differ in plan \"gradients\", bucket 0: found \"dense/kernel\" with 11 elements at 0 on rank 2 "
        "(machine) and \"dense/kernel\" with 10 elements at 0 on rank 0 (machine)");
    ++errors;
  });
  EXPECT_EQ(errors, 3);
}

}  // namespace
}  // namespace headrace::hvd
