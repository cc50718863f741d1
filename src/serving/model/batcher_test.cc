#include "serving/model/batcher.h"

#include <future>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/model/servable_testing.h"

namespace headrace::serving {
namespace {

using testing::Doubler;

std::future<Batcher::Outputs> Submit(Batcher& batcher, const std::shared_ptr<Servable>& servable, float value,
                                     int64_t rows = 1) {
  Tensor x(DType::kFloat32, {rows, 1});
  for (int64_t i = 0; i < rows; ++i) x.data<float>()[i] = value + static_cast<float>(i);
  auto promise = std::make_shared<std::promise<Batcher::Outputs>>();
  auto future = promise->get_future();
  const Status queued =
      batcher.Submit(servable, 0, {x}, [promise](Batcher::Outputs outputs) { promise->set_value(std::move(outputs)); });
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

}  // namespace
}  // namespace headrace::serving
