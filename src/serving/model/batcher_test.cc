#include "serving/model/batcher.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/model/servable_testing.h"

namespace headrace::serving {
namespace {

using testing::Doubler;

std::future<Batcher::Outputs> Submit(Batcher& batcher, const std::shared_ptr<Servable>& servable, float value,
                                     int64_t rows = 1, Batcher::Lend lend = nullptr) {
  Tensor x(DType::kFloat32, {rows, 1});
  for (int64_t i = 0; i < rows; ++i) x.data<float>()[i] = value + static_cast<float>(i);
  auto promise = std::make_shared<std::promise<Batcher::Outputs>>();
  auto future = promise->get_future();
  const Status queued = batcher.Submit(
      servable, 0, {x}, [promise](Batcher::Outputs outputs) { promise->set_value(std::move(outputs)); },
      std::move(lend));
  if (!queued) promise->set_value(tl::unexpected<Error>(queued.error()));
  return future;
}

TEST(Batcher, RequestsThatWaitRunTogether) {
  const auto model = std::make_shared<Doubler>();
  Batcher batcher({.max_batch_size = 4}, 1);
  std::vector<std::future<Batcher::Outputs>> futures;
  {
    const std::lock_guard busy(model->gate);
    for (int i = 0; i < 10; ++i) futures.push_back(Submit(batcher, model, static_cast<float>(10 * i)));
  }
  for (int i = 0; i < 10; ++i) {
    const auto outputs = futures[static_cast<size_t>(i)].get();
    ASSERT_TRUE(outputs);
    EXPECT_EQ((*outputs)[0].shape(), (Shape{1, 1}));
    EXPECT_EQ((*outputs)[0].data<float>()[0], 20.0f * static_cast<float>(i));
  }
  EXPECT_EQ(std::accumulate(model->batches.begin(), model->batches.end(), int64_t{0}), 10);
  EXPECT_LT(model->batches.size(), 10u);
  for (const int64_t rows : model->batches) EXPECT_LE(rows, 4);
}

TEST(Batcher, ALoneRequestDoesNotWaitForCompany) {
  const auto model = std::make_shared<Doubler>();
  Batcher batcher({.batch_timeout_micros = int64_t{3600} * 1000 * 1000}, 1);
  EXPECT_EQ((*Submit(batcher, model, 3).get())[0].data<float>()[0], 6.0f);
}

TEST(Batcher, RowsComeBackToTheirRequest) {
  const auto model = std::make_shared<Doubler>();
  Batcher batcher({}, 1);
  std::vector<std::future<Batcher::Outputs>> futures;
  {
    const std::lock_guard busy(model->gate);
    for (int i = 0; i < 5; ++i) futures.push_back(Submit(batcher, model, static_cast<float>(100 * i), i + 1));
  }
  for (int i = 0; i < 5; ++i) {
    const auto outputs = futures[static_cast<size_t>(i)].get();
    ASSERT_EQ((*outputs)[0].dim(0), i + 1);
    for (int k = 0; k <= i; ++k) EXPECT_EQ((*outputs)[0].data<float>()[k], static_cast<float>(2 * (100 * i + k)));
  }
}

TEST(Batcher, FullQueuesAndLargeRequestsAreRefused) {
  const auto model = std::make_shared<Doubler>();
  Batcher batcher({.max_request_size = 2, .max_batch_size = 2, .max_enqueued_batches = 2}, 1);
  EXPECT_EQ(Submit(batcher, model, 0, 3).get().error().code(), ErrorCode::kInvalidArgument);
  std::vector<std::future<Batcher::Outputs>> futures;
  {
    const std::lock_guard busy(model->gate);
    for (int i = 0; i < 12; ++i) futures.push_back(Submit(batcher, model, 1));
  }
  int refused = 0;
  for (auto& future : futures) {
    const auto outputs = future.get();
    if (outputs) continue;
    EXPECT_EQ(outputs.error().code(), ErrorCode::kUnavailable);
    ++refused;
  }
  EXPECT_GE(refused, 12 - 4 - 2);  // two batches wait, one runs
  EXPECT_LE(refused, 12 - 4);
}

TEST(Batcher, RunsAreFilledUpToAllowedSizes) {
  const auto model = std::make_shared<Doubler>();
  Batcher batcher({.max_batch_size = 8, .allowed_batch_sizes = {2, 8}}, 1);
  for (const int64_t rows : {1, 2, 3, 8}) {
    const auto outputs = Submit(batcher, model, 5, rows).get();
    ASSERT_TRUE(outputs);
    ASSERT_EQ((*outputs)[0].shape(), (Shape{rows, 1}));  // what was filled in is not answered
    for (int64_t i = 0; i < rows; ++i) EXPECT_EQ((*outputs)[0].data<float>()[i], 2 * (5 + static_cast<float>(i)));
  }
  EXPECT_THAT(model->batches, ::testing::ElementsAre(2, 2, 8, 8));
  EXPECT_EQ(batcher.counters().rows, 14u);  // of requests
}

TEST(Batcher, RequestsLargerThanARunAreSplit) {
  const auto model = std::make_shared<Doubler>();
  Batcher batcher({.max_request_size = 20, .max_batch_size = 8, .allowed_batch_sizes = {4, 8}}, 1);
  const auto outputs = Submit(batcher, model, 1, 19).get();
  ASSERT_TRUE(outputs);
  ASSERT_EQ((*outputs)[0].shape(), (Shape{19, 1}));
  for (int i = 0; i < 19; ++i) EXPECT_EQ((*outputs)[0].data<float>()[i], 2 * (1 + static_cast<float>(i)));
  EXPECT_THAT(model->batches, ::testing::ElementsAre(8, 8, 4));
  EXPECT_EQ(Submit(batcher, model, 0, 21).get().error().message(),
            "Task size 21 is larger than maximum input batch size 20");
}

TEST(Batcher, EveryWorkerIsReached) {
  Batcher batcher({.num_batch_threads = 3}, 1);
  std::mutex mutex;
  std::vector<size_t> seen;
  batcher.OnEveryWorker([&](size_t worker) {
    const std::lock_guard lock(mutex);
    seen.push_back(worker);
  });
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre(0, 1, 2));
}

// A thread that lends itself when RunAll is called.
class Lender {
 public:
  Batcher::Lend lend() {
    return [this](std::function<void()> work) {
      const std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
    };
  }
  bool RunOne() {
    std::function<void()> work;
    {
      const std::lock_guard lock(mutex_);
      if (work_.empty()) return false;
      work = std::move(work_.front());
      work_.pop_front();
    }
    work();
    return true;
  }
  void RunAll() {
    while (RunOne()) continue;
  }

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> work_;
};

bool Ready(const std::future<Batcher::Outputs>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::shared_ptr<Doubler> WithSmallRuns(int64_t rows) {
  const auto model = std::make_shared<Doubler>();
  model->set_small_rows({rows});
  return model;
}

TEST(BatcherLanes, SmallRunsAreTheLenders) {
  const auto model = WithSmallRuns(2);
  Batcher batcher({}, 1, 1);
  Lender lender;
  std::vector<std::future<Batcher::Outputs>> futures;
  for (int i = 0; i < 5; ++i) futures.push_back(Submit(batcher, model, static_cast<float>(i), 1, lender.lend()));
  for (const auto& future : futures) EXPECT_FALSE(Ready(future));
  lender.RunAll();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ((*futures[static_cast<size_t>(i)].get())[0].data<float>()[0], 2.0f * static_cast<float>(i));
  EXPECT_EQ(model->batches, (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(model->runners, (std::vector<size_t>{1, 1, 1}));  // behind worker 0
}

TEST(BatcherLanes, WhatIsNotSmallGoesToTheWorkers) {
  const auto model = WithSmallRuns(2);
  Lender lender;
  Batcher batcher({}, 1, 1), waiting({.batch_timeout_micros = 1000}, 1, 1), without({}, 1, 0),
      filled_up({.max_batch_size = 4, .allowed_batch_sizes = {4}}, 1, 1);
  EXPECT_TRUE(Submit(batcher, model, 1, 3, lender.lend()).get());
  EXPECT_TRUE(Submit(batcher, model, 1, 1).get());
  EXPECT_TRUE(Submit(waiting, model, 1, 1, lender.lend()).get());
  EXPECT_TRUE(Submit(without, model, 1, 1, lender.lend()).get());
  EXPECT_TRUE(Submit(filled_up, model, 1, 1, lender.lend()).get());
  EXPECT_FALSE(lender.RunOne());
}

TEST(BatcherLanes, ABacklogIsOneLargeBatchWhereThereAreProcessorsForIt) {
  const auto model = WithSmallRuns(1);
  Lender lender;
  Batcher batcher({}, 2, 1);  // two processors, one of them lent
  auto first = Submit(batcher, model, 1, 1, lender.lend());
  auto second = Submit(batcher, model, 2, 1, lender.lend());
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  lender.RunAll();  // nothing is left for it
  EXPECT_EQ(model->batches, (std::vector<int64_t>{2}));
}

TEST(BatcherLanes, NoMoreRunsAtATimeThanLanes) {
  const auto model = WithSmallRuns(1);
  Lender lender, other;
  Batcher batcher({}, 1, 1);
  auto first = Submit(batcher, model, 1, 1, lender.lend());
  std::thread runs;
  std::future<Batcher::Outputs> second;
  {
    const std::lock_guard busy(model->gate);
    runs = std::thread([&] { lender.RunOne(); });
    while (model->entered == 0) std::this_thread::yield();
    second = Submit(batcher, model, 2, 1, other.lend());
    other.RunAll();  // the lane is taken
  }
  runs.join();
  EXPECT_TRUE(Ready(first));
  other.RunAll();  // offered again by who left the lane
  EXPECT_TRUE(Ready(second));
  EXPECT_EQ(model->batches, (std::vector<int64_t>{1, 1}));
}

// For the thread sanitizer above all.
TEST(BatcherLanes, ManyLendersBesideTheWorkers) {
  constexpr int kLenders = 4, kRequests = 200;
  const auto model = WithSmallRuns(2);
  std::vector<Lender> lenders(kLenders);
  std::atomic<int> answered = 0, wrong = 0;
  Batcher batcher({.num_batch_threads = 2}, 2, 2);
  std::vector<std::thread> threads;
  for (int t = 0; t < kLenders; ++t)
    threads.emplace_back([&, t] {
      Lender& own = lenders[static_cast<size_t>(t)];
      for (int i = 0; i < kRequests; ++i) {
        const int64_t rows = i % 7 == 0 ? 5 : 1;  // small ones, and some for the workers
        Tensor x(DType::kFloat32, {rows, 1});
        std::fill_n(x.data<float>(), rows, static_cast<float>(i));
        const Status queued = batcher.Submit(
            model, 0, {x},
            [&, i, rows](const Batcher::Outputs& outputs) {
              const bool right = outputs && (*outputs)[0].dim(0) == rows &&
                                 (*outputs)[0].data<float>()[rows - 1] == 2 * static_cast<float>(i);
              wrong += right ? 0 : 1;
              answered += 1;
            },
            own.lend());
        if (!queued) {
          wrong += 1;
          answered += 1;
        }
        own.RunOne();
      }
      while (answered < kLenders * kRequests) own.RunAll();  // others may be waiting for this one's lane
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(BatcherLanes, WhatALenderDropsIsFinishedByStop) {
  const auto model = WithSmallRuns(1);
  Lender lender;
  Batcher batcher({}, 1, 1);
  auto future = Submit(batcher, model, 4, 1, lender.lend());
  batcher.Stop();
  EXPECT_EQ((*future.get())[0].data<float>()[0], 8.0f);
  lender.RunAll();  // finds nothing
}

}  // namespace
}  // namespace headrace::serving
