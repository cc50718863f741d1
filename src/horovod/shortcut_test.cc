// Named allreduces that repeat: right whatever a rank asks for instead, and whenever.
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "horovod/negotiation/shortcut_offers.h"
#include "horovod/thread_world.h"

namespace headrace::hvd {
namespace {

Collective Sum(const std::string& name, std::vector<float>& values) {
  Collective sum{.type = CollectiveType::kAllreduce, .name = name};
  sum.shape = {static_cast<int64_t>(values.size())};
  sum.input = sum.output = values.data();
  sum.op = ReduceOp::kSum;
  return sum;
}

// Sums of `count` times rank + 1 + round.
void ExpectSum(Communicator& communicator, const std::string& name, size_t count, int round) {
  const int ranks = communicator.place().size;
  std::vector<float> values(count, static_cast<float>(communicator.place().rank + 1 + round));
  ValueOrThrow(hvd::Run(communicator, Sum(name, values)));
  const auto wanted = static_cast<float>(ranks * (ranks + 1) / 2 + ranks * round);
  for (const float value : values) ASSERT_EQ(value, wanted) << name << ", round " << round;
}

void ExpectOwn(Communicator& communicator, const std::string& name) {
  std::vector<float> values(100, 5);
  ValueOrThrow(hvd::Run(communicator, Sum(name, values)));
  for (const float value : values) ASSERT_EQ(value, 5);
}

TEST(ShortcutOffers, AreForWhatAllHaveAskedForTwiceAsLongAsThereIsRoom) {
  ShortcutOffers offers({5000, 2, 1}, 2);
  std::vector<float> values(100);
  EXPECT_EQ(offers.Offer(Sum("a", values)), -1);
  EXPECT_EQ(offers.Offer(Sum("a", values)), 0);
  EXPECT_EQ(offers.Offer(Sum("b", values)), -1);
  std::vector<float> more(200);
  EXPECT_EQ(offers.Offer(Sum("b", more)), -1) << "other than before";
  EXPECT_GT(offers.Offer(Sum("b", more)), 0);
  offers.TakeBack("never offered", 1);
  EXPECT_TRUE(offers.TakenBack().empty());
  offers.TakeBack("a", 7);
  offers.TakeBack("a", 7);  // another rank
  const auto taken = offers.TakenBack();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].name, "a");
  EXPECT_EQ(taken[0].rounds, 7);
  EXPECT_TRUE(offers.TakenBack().empty());
  EXPECT_EQ(offers.Offer(Sum("a", values)), -1) << "not again";
  std::vector<float> large(1000);
  for (int time = 0; time < 3; ++time) EXPECT_EQ(offers.Offer(Sum("large", large)), -1) << "no room";
  for (const char* name : {"x", "y", "z", "x"}) EXPECT_EQ(offers.Offer(Sum(name, values)), -1) << "forgotten";
}

// By rank, its machine.
class Shortcuts : public testing::TestWithParam<std::string> {
 protected:
  void Run(const std::function<void(Communicator&)>& program) {
    std::vector<std::string> machines;
    for (const char machine : GetParam()) machines.emplace_back(1, machine);
    RunThreadWorld(static_cast<int>(machines.size()), program, {.machines = machines});
  }
};

INSTANTIATE_TEST_SUITE_P(Ranks, Shortcuts, testing::Values("a", "aa", "aaa", "aaaa", "ab", "aba", "aabb", "abc"));

TEST_P(Shortcuts, GiveTheSameSums) {
  Run([](Communicator& communicator) {
    for (int round = 0; round < 200; ++round)
      for (const size_t count : {1, 1000, 16'384, 20'000}) ExpectSum(communicator, std::to_string(count), count, round);
  });
}

TEST_P(Shortcuts, AreLeftTogetherWhenRanksAskForAnotherShape) {
  Run([](Communicator& communicator) {
    for (int round = 0; round < 30; ++round) ExpectSum(communicator, "values", round % 10 == 9 ? 7 : 100, round);
  });
}

TEST_P(Shortcuts, EndWithAnErrorOnEveryRankWhereOneAsksForAnotherShape) {
  Run([](Communicator& communicator) {
    for (int round = 0; round < 5; ++round) ExpectSum(communicator, "values", 100, round);
    const bool other = communicator.place().rank == communicator.place().size - 1;
    std::vector<float> values(other ? 50 : 100);
    const auto outcome = hvd::Run(communicator, Sum("values", values));
    EXPECT_EQ(outcome.has_value(), communicator.place().size == 1);
    ExpectSum(communicator, "values", 100, 1);
  });
}

// In orders of their own, and finished in others.
TEST_P(Shortcuts, SeveralAtOnce) {
  Run([](Communicator& communicator) {
    constexpr size_t kTensors = 12;
    const auto rank = static_cast<size_t>(communicator.place().rank);
    const int ranks = communicator.place().size;
    for (int round = 0; round < 50; ++round) {
      std::vector<std::vector<float>> tensors(kTensors);
      std::vector<Handle> handles(kTensors);
      for (size_t k = 0; k < kTensors; ++k) {
        const size_t i = (k * 5 + rank + static_cast<size_t>(round)) % kTensors;
        tensors[i].assign(50 * (i + 1), static_cast<float>(i));
        handles[i] = ValueOrThrow(communicator.Enqueue(Sum("tensor " + std::to_string(i), tensors[i])));
        if (round > 5) {
          EXPECT_FALSE(communicator.Enqueue(Sum("tensor " + std::to_string(i), tensors[i])).has_value());
        }
      }
      for (size_t k = 0; k < kTensors; ++k) {
        const size_t i = (k * 7 + rank) % kTensors;
        if (k % 2 == 0)
          while (!communicator.Poll(handles[i])) std::this_thread::yield();
        ValueOrThrow(communicator.Synchronize(handles[i]));
        for (const float value : tensors[i]) ASSERT_EQ(value, static_cast<float>(i) * static_cast<float>(ranks));
      }
    }
  });
}

TEST_P(Shortcuts, EndWhenARankJoins) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    std::vector<float> last{1};
    for (int batch = 0; batch < 20 + rank; ++batch) {
      std::vector<float> values{1};
      ValueOrThrow(hvd::Run(communicator, Sum("batch", values)));
      EXPECT_EQ(values[0], static_cast<float>(batch < 20 ? ranks : ranks - (batch - 19))) << batch;
    }
    Collective join{.type = CollectiveType::kJoin};
    EXPECT_EQ(ValueOrThrow(hvd::Run(communicator, std::move(join))).last_joined, ranks - 1);
    for (int round = 0; round < 5; ++round) ExpectSum(communicator, "batch", 1, round);
  });
}

// What a rank has begun last before it joins ends for all, also where it has still to come from another machine.
TEST_P(Shortcuts, EndWhenARankJoinsThatHasMoreUnderWay) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    std::vector<std::vector<float>> values(2, std::vector<float>(100));
    for (int round = 0; round < 10; ++round) {
      std::vector<Handle> handles;
      for (size_t i = 0; i < 2; ++i) {
        values[i].assign(100, 1);
        handles.push_back(ValueOrThrow(communicator.Enqueue(Sum("pair " + std::to_string(i), values[i]))));
      }
      std::optional<Handle> joined;
      if (round == 9 && rank != 0)
        joined = ValueOrThrow(communicator.Enqueue(Collective{.type = CollectiveType::kJoin}));
      for (const Handle handle : handles) ValueOrThrow(communicator.Synchronize(handle));
      for (const auto& each : values)
        for (const float value : each) ASSERT_EQ(value, static_cast<float>(ranks)) << round;
      if (joined) ValueOrThrow(communicator.Synchronize(*joined));
    }
    if (rank != 0) return;
    ExpectOwn(communicator, "pair 0");  // zeros of the others
    ValueOrThrow(hvd::Run(communicator, Collective{.type = CollectiveType::kJoin}));
  });
}

// Every rank has the sums of all rounds that it has begun, also when another one ends the group behind the last.
TEST_P(Shortcuts, EndWhenARankShutsDownBehindTheLast) {
  Run([](Communicator& communicator) {
    for (int round = 0; round < 20; ++round) ExpectSum(communicator, "last", 100, round);
  });
}

class ShortcutsOfMissingRanks : public testing::TestWithParam<std::vector<std::string>> {};

INSTANTIATE_TEST_SUITE_P(Machines, ShortcutsOfMissingRanks,
                         testing::Values(std::vector<std::string>{"a", "a", "a"},
                                         std::vector<std::string>{"a", "b", "c"},
                                         std::vector<std::string>{"a", "b", "a"}));

TEST_P(ShortcutsOfMissingRanks, AreAnErrorThatNamesThem) {
  Settings settings;
  settings.stall_warning_ms = 0;
  settings.stall_limit_ms = 1'500;
  std::atomic<int> noticed{0};
  RunThreadWorld(3,
                 [&](Communicator& communicator) {
                   for (int round = 0; round < 5; ++round) ExpectSum(communicator, "loss", 10, round);
                   if (communicator.place().rank == 1) {
                     while (noticed < 2) std::this_thread::yield();
                     return;
                   }
                   std::vector<float> values(10);
                   const auto outcome = hvd::Run(communicator, Sum("loss", values));
                   ++noticed;
                   ASSERT_FALSE(outcome.has_value());
                   EXPECT_NE(outcome.error().message().find("allreduce \"loss\""), std::string::npos)
                       << outcome.error().message();
                   EXPECT_NE(outcome.error().message().find("rank "), std::string::npos) << outcome.error().message();
                 },
                 {.settings = settings, .machines = GetParam()});
}

}  // namespace
}  // namespace headrace::hvd
