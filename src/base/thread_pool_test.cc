#include "base/thread_pool.h"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

namespace headrace {
namespace {

TEST(ThreadPoolTest, FinishesWhatIsQueued) {
  std::atomic<int> done = 0;
  {
    ThreadPool pool(2, 100);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.TryPost([&] { ++done; }));
  }
  EXPECT_EQ(done, 50);
}

TEST(ThreadPoolTest, RefusesBeyondTheQueueLimit) {
  std::latch running(1), released(1);
  ThreadPool pool(1, 1);
  ASSERT_TRUE(pool.TryPost([&] {
    running.count_down();
    released.wait();
  }));
  running.wait();
  EXPECT_TRUE(pool.TryPost([] {}));
  EXPECT_FALSE(pool.TryPost([] {}));
  released.count_down();
}

}  // namespace
}  // namespace headrace
