#include "jobs/machine/core_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CorePool, GivesHostsDisjointCoresOrNone) {
  CorePool pool({0, 1, 2, 3});
  auto job = pool.Take({2, 1});
  ASSERT_TRUE(job);
  EXPECT_THAT((*job)[0].cores(), ElementsAre(2, 3));
  EXPECT_THAT((*job)[1].cores(), ElementsAre(1));
  EXPECT_FALSE(pool.Take({1, 1}));  // one is free, and stays so
  auto small = pool.Take({1});
  ASSERT_TRUE(small);
  EXPECT_THAT((*small)[0].cores(), ElementsAre(0));
  (*job)[0].Release();
  EXPECT_THAT((*job)[0].cores(), IsEmpty());
  EXPECT_TRUE(pool.Take({2}));
}

TEST(CorePool, WhatIsDroppedIsFreeAgain) {
  CorePool pool({0, 1});
  {
    auto job = pool.Take({2});
    ASSERT_TRUE(job);
    std::vector<CoreLease> moved = std::move(*job);
    EXPECT_FALSE(pool.Take({1}));
    moved[0] = CoreLease();
    EXPECT_TRUE(pool.Take({2}));  // and dropped at once
  }
  EXPECT_TRUE(pool.Take({2}));
}

TEST(CorePool, JobsMayHaveLessThanThereIs) {
  CorePool pool({0, 1, 2, 3}, 2);
  EXPECT_EQ(pool.for_jobs(), 2);
  EXPECT_FALSE(pool.Take({3}));
  const auto job = pool.Take({2});
  EXPECT_TRUE(job);
  EXPECT_FALSE(pool.Take({1}));
  EXPECT_THAT(pool.Share(0).cores(), ElementsAre(0, 1, 2, 3));
}

TEST(CorePool, PlacesWithoutACoreAreTheLast) {
  CorePool pool({0, 1}, 4);
  const auto first = pool.Take({1}), second = pool.Take({2}), third = pool.Take({1});
  ASSERT_TRUE(first && second && third);
  EXPECT_THAT((*first)[0].cores(), ElementsAre(1));
  EXPECT_THAT((*second)[0].cores(), IsEmpty());  // one of its two has none: it runs on all
  EXPECT_EQ((*second)[0].places().size(), 2u);
  EXPECT_THAT((*third)[0].cores(), IsEmpty());
  EXPECT_FALSE(pool.Take({1}));
  EXPECT_THAT(pool.Share(0).cores(), ElementsAre(0, 1));
}

TEST(CorePool, ModelServersGoWhereTheFewestAre) {
  CorePool pool({0, 1, 2, 3});
  const auto job = pool.Take({2});  // 2 and 3
  const auto one = pool.Share(2), two = pool.Share(1);
  EXPECT_THAT(one.cores(), ElementsAre(0, 1));
  EXPECT_THAT(two.cores(), ElementsAre(0));  // all have one now
  const auto next = pool.Take({1});
  ASSERT_TRUE(next);
  EXPECT_THAT((*next)[0].cores(), ElementsAre(1));  // core 0 has two others on it
  EXPECT_TRUE(pool.Take({1}));                      // jobs are alone among jobs only
}

TEST(CorePool, FindsALeaseOfBeforeAgain) {
  CorePool pool({0, 1, 2, 3});
  const auto other = pool.Take({1});  // 3
  auto mine = pool.Retake({2, 3}, 2);
  EXPECT_THAT(mine.cores(), ElementsAre(1, 2));  // 3 has somebody else
  EXPECT_THAT(pool.Retake({0, 0, 7}, 2).cores(), ElementsAre(0));
  mine.Release();
  EXPECT_THAT(pool.Retake({1, 2}, 1).cores(), ElementsAre(1));
}

}  // namespace
}  // namespace headrace::jobs
