// Every collective over threads as ranks, on one machine and on several, against what it means.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "horovod/thread_world.h"

namespace headrace::hvd {
namespace {

struct Layout {
  int ranks;
  std::vector<std::string> machines;
};

std::vector<Layout> Layouts() {
  return {{1, {}},
          {2, {}},
          {3, {}},
          {4, {}},
          {2, {"a", "b"}},
          {3, {"a", "b", "a"}},
          {4, {"a", "a", "b", "b"}},
          {4, {"a", "b", "c", "d"}}};
}

class Collectives : public testing::TestWithParam<Layout> {
 protected:
  void Run(const std::function<void(Communicator&)>& program) {
    RunThreadWorld(GetParam().ranks, program, {.machines = GetParam().machines});
  }
};

INSTANTIATE_TEST_SUITE_P(Layouts, Collectives, testing::ValuesIn(Layouts()), [](const auto& info) {
  std::string name = std::to_string(info.param.ranks);
  for (const auto& machine : info.param.machines) name += machine;
  return name;
});

float ValueOf(int rank, int64_t index) { return static_cast<float>((rank + 1) * (index % 97 + 1)) / 8; }

Collective Named(CollectiveType type, std::string name) {
  Collective collective;
  collective.type = type;
  collective.name = std::move(name);
  return collective;
}

Outcome RunOrThrow(Communicator& communicator, Collective collective) {
  return ValueOrThrow(hvd::Run(communicator, std::move(collective)));
}

TEST_P(Collectives, AllreduceOfFloats) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    for (const int64_t count : {0, 1, 7, 1000, 131072 + 5, 300001})
      for (const ReduceOp op :
           {ReduceOp::kAverage, ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax, ReduceOp::kProduct}) {
        std::vector<float> values(static_cast<size_t>(count));
        for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = ValueOf(rank, i);
        auto collective = Named(CollectiveType::kAllreduce, "values");
        collective.shape = {count};
        collective.input = collective.output = values.data();
        collective.op = op;
        RunOrThrow(communicator, collective);
        for (int64_t i = 0; i < count; ++i) {
          double wanted = ValueOf(0, i);
          for (int other = 1; other < ranks; ++other) {
            const double value = ValueOf(other, i);
            wanted = op == ReduceOp::kMin       ? std::min(wanted, value)
                     : op == ReduceOp::kMax     ? std::max(wanted, value)
                     : op == ReduceOp::kProduct ? wanted * value
                                                : wanted + value;
          }
          if (op == ReduceOp::kAverage) wanted /= ranks;
          ASSERT_FLOAT_EQ(values[static_cast<size_t>(i)], static_cast<float>(wanted)) << NameOf(op) << " " << i;
        }
      }
  });
}

template <typename T>
void CheckSum(Communicator& communicator, DataType dtype) {
  const int ranks = communicator.place().size, rank = communicator.place().rank;
  std::vector<T> values(1001), sums(1001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i % 11 + static_cast<size_t>(rank));
  auto collective = Named(CollectiveType::kAllreduce, NameOf(dtype));
  collective.dtype = dtype;
  collective.shape = {7, 11, 13};
  collective.input = values.data();
  collective.output = sums.data();
  collective.op = ReduceOp::kSum;
  RunOrThrow(communicator, collective);
  for (size_t i = 0; i < values.size(); ++i) {
    T wanted{};
    for (int other = 0; other < ranks; ++other) wanted = static_cast<T>(wanted + i % 11 + static_cast<size_t>(other));
    ASSERT_EQ(sums[i], wanted) << NameOf(dtype) << " " << i;
  }
}

TEST_P(Collectives, AllreduceOfEveryInteger) {
  Run([](Communicator& communicator) {
    CheckSum<uint8_t>(communicator, DataType::kUInt8);
    CheckSum<int8_t>(communicator, DataType::kInt8);
    CheckSum<uint16_t>(communicator, DataType::kUInt16);
    CheckSum<int16_t>(communicator, DataType::kInt16);
    CheckSum<int32_t>(communicator, DataType::kInt32);
    CheckSum<int64_t>(communicator, DataType::kInt64);
    CheckSum<double>(communicator, DataType::kFloat64);
  });
}

TEST_P(Collectives, PrescaleAndPostscale) {
  Run([](Communicator& communicator) {
    std::vector<float> values(100, 3.0f);
    auto collective = Named(CollectiveType::kAllreduce, "scaled");
    collective.shape = {100};
    collective.input = collective.output = values.data();
    collective.prescale = 0.5;
    collective.postscale = 4;
    RunOrThrow(communicator, collective);
    EXPECT_EQ(values, std::vector<float>(100, 6.0f));
  });
}

TEST_P(Collectives, ManyAtOnceInAnyOrder) {
  Run([](Communicator& communicator) {
    constexpr int kTensors = 40;
    const int rank = communicator.place().rank, ranks = communicator.place().size;
    std::vector<std::vector<float>> tensors;
    for (int i = 0; i < kTensors; ++i) tensors.emplace_back(100 + i, static_cast<float>(rank + i));
    std::vector<Handle> handles(kTensors);
    for (int k = 0; k < kTensors; ++k) {
      const int i = rank % 2 == 0 ? k : kTensors - 1 - k;
      auto& tensor = tensors[static_cast<size_t>(i)];
      auto collective = Named(CollectiveType::kAllreduce, fmt::format("tensor {}", i));
      collective.shape = {static_cast<int64_t>(tensor.size())};
      collective.input = collective.output = tensor.data();
      collective.op = ReduceOp::kSum;
      handles[static_cast<size_t>(i)] = ValueOrThrow(communicator.Enqueue(collective));
    }
    for (int i = 0; i < kTensors; ++i) {
      ValueOrThrow(communicator.Synchronize(handles[static_cast<size_t>(i)]));
      EXPECT_EQ(
          tensors[static_cast<size_t>(i)],
          std::vector<float>(static_cast<size_t>(100 + i), static_cast<float>(ranks * i + ranks * (ranks - 1) / 2)));
    }
  });
}

TEST_P(Collectives, BroadcastFromEveryRoot) {
  Run([](Communicator& communicator) {
    for (int root = 0; root < communicator.place().size; ++root)
      for (const int64_t count : {0, 1, 1500007}) {
        std::vector<uint8_t> bytes(static_cast<size_t>(count), 255);
        if (communicator.place().rank == root)
          for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7 + static_cast<size_t>(root));
        auto collective = Named(CollectiveType::kBroadcast, "bytes");
        collective.dtype = DataType::kUInt8;
        collective.shape = {count};
        collective.input = collective.output = bytes.data();
        collective.root = root;
        RunOrThrow(communicator, collective);
        for (size_t i = 0; i < bytes.size(); ++i)
          ASSERT_EQ(bytes[i], static_cast<uint8_t>(i * 7 + static_cast<size_t>(root)));
      }
  });
}

TEST_P(Collectives, AllgatherOfDifferentLengths) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    for (const int64_t unit : {1, 40000}) {
      std::vector<int32_t> rows(static_cast<size_t>(unit * rank * 3), rank);
      auto collective = Named(CollectiveType::kAllgather, "rows");
      collective.dtype = DataType::kInt32;
      collective.shape = {unit * rank, 3};
      collective.input = rows.data();
      const Outcome outcome = RunOrThrow(communicator, collective);
      EXPECT_EQ(outcome.shape, (std::vector<int64_t>{unit * ranks * (ranks - 1) / 2, 3}));
      const auto* values = reinterpret_cast<const int32_t*>(outcome.output.data());
      for (int other = 0; other < ranks; ++other)
        for (int64_t i = 0; i < unit * other * 3; ++i) ASSERT_EQ(*values++, other);
    }
  });
}

TEST_P(Collectives, AlltoallWithSplits) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    for (const int64_t unit : {1, 30011}) {
      std::vector<int64_t> values, splits;
      for (int to = 0; to < ranks; ++to) {
        splits.push_back(unit * (rank + to));
        values.insert(values.end(), static_cast<size_t>(unit * (rank + to)), rank * 100 + to);
      }
      auto collective = Named(CollectiveType::kAlltoall, "split");
      collective.dtype = DataType::kInt64;
      collective.shape = {static_cast<int64_t>(values.size())};
      collective.splits = splits;
      collective.input = values.data();
      const Outcome outcome = RunOrThrow(communicator, collective);
      const auto* received = reinterpret_cast<const int64_t*>(outcome.output.data());
      for (int from = 0; from < ranks; ++from) {
        EXPECT_EQ(outcome.received_splits[static_cast<size_t>(from)], unit * (rank + from));
        for (int64_t i = 0; i < unit * (rank + from); ++i) ASSERT_EQ(*received++, from * 100 + rank);
      }
    }
  });
}

TEST_P(Collectives, ReducescatterGivesTheFirstRanksOneRowMore) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    const int64_t rows = 2 * ranks + 1, columns = 50000;
    std::vector<float> values(static_cast<size_t>(rows * columns));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i / static_cast<size_t>(columns)) + static_cast<float>(rank);
    auto collective = Named(CollectiveType::kReducescatter, "rows");
    collective.shape = {rows, columns};
    collective.input = values.data();
    collective.op = ReduceOp::kSum;
    const Outcome outcome = RunOrThrow(communicator, collective);
    EXPECT_EQ(outcome.shape, (std::vector<int64_t>{rank == 0 ? 3 : 2, columns}));
    const auto* sums = reinterpret_cast<const float*>(outcome.output.data());
    const int64_t first = rank == 0 ? 0 : 2 * rank + 1;
    for (int64_t i = 0; i < outcome.shape[0] * columns; ++i)
      ASSERT_EQ(sums[i], static_cast<float>((first + i / columns) * ranks + ranks * (ranks - 1) / 2));
  });
}

TEST_P(Collectives, AdasumOfEqualVectorsIsTheVectorAndOfOrthogonalOnesTheSum) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    const bool power_of_two = (ranks & (ranks - 1)) == 0;
    auto collective = Named(CollectiveType::kAllreduce, "adasum");
    std::vector<float> equal(1000), orthogonal(4, 0.0f);
    for (size_t i = 0; i < equal.size(); ++i) equal[i] = static_cast<float>(i);
    orthogonal[static_cast<size_t>(rank)] = static_cast<float>(rank + 1);
    collective.op = ReduceOp::kAdasum;
    collective.shape = {1000};
    collective.input = collective.output = equal.data();
    const auto first = hvd::Run(communicator, collective);
    ASSERT_EQ(first.has_value(), power_of_two);
    if (!power_of_two) return;
    collective.shape = {4};
    collective.input = collective.output = orthogonal.data();
    RunOrThrow(communicator, collective);
    for (size_t i = 0; i < equal.size(); ++i) ASSERT_NEAR(equal[i], static_cast<float>(i), 1e-3);
    for (int i = 0; i < ranks; ++i) EXPECT_FLOAT_EQ(orthogonal[static_cast<size_t>(i)], static_cast<float>(i + 1));
  });
}

TEST_P(Collectives, BarrierIsLeftByNobodyBeforeAllHaveCome) {
  std::atomic<int> came{0};
  Run([&](Communicator& communicator) {
    ++came;
    RunOrThrow(communicator, Named(CollectiveType::kBarrier, "all"));
    EXPECT_EQ(came.load(), communicator.place().size);
  });
}

TEST_P(Collectives, JoinedRanksAreZerosAndAverageDividesByAll) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    // Rank r has r + 1 batches.
    for (int batch = 0; batch <= rank; ++batch) {
      float value = 1;
      auto collective = Named(CollectiveType::kAllreduce, fmt::format("batch {}", batch));
      collective.shape = {1};
      collective.input = collective.output = &value;
      RunOrThrow(communicator, collective);
      EXPECT_FLOAT_EQ(value, static_cast<float>(ranks - batch) / static_cast<float>(ranks));
    }
    const Outcome outcome = RunOrThrow(communicator, Named(CollectiveType::kJoin, ""));
    EXPECT_EQ(outcome.last_joined, ranks - 1);
  });
}

TEST_P(Collectives, ProcessSets) {
  Run([](Communicator& communicator) {
    const int ranks = communicator.place().size, rank = communicator.place().rank;
    std::vector<int> odd;
    for (int i = 1; i < ranks; i += 2) odd.push_back(i);
    if (odd.empty()) odd.push_back(0);
    const int set = ValueOrThrow(communicator.AddProcessSet(odd));
    const bool member = std::find(odd.begin(), odd.end(), rank) != odd.end();
    float value = static_cast<float>(rank);
    auto collective = Named(CollectiveType::kAllreduce, "of the set");
    collective.shape = {1};
    collective.input = collective.output = &value;
    collective.op = ReduceOp::kSum;
    collective.process_set = set;
    EXPECT_EQ(hvd::Run(communicator, collective).has_value(), member);
    if (member) {
      EXPECT_EQ(value, static_cast<float>(std::accumulate(odd.begin(), odd.end(), 0)));
    }
    ValueOrThrow(communicator.RemoveProcessSet(set));
    EXPECT_FALSE(communicator.Enqueue(collective).has_value());
    EXPECT_FALSE(communicator.RemoveProcessSet(set).has_value());
  });
}

}  // namespace
}  // namespace headrace::hvd
