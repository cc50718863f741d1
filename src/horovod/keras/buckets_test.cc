#include "horovod/keras/buckets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::hvd {
namespace {

using testing::ElementsAre;

TEST(Buckets, GoFromTheLastVariableToTheFirst) {
  const auto buckets = CutIntoBuckets({0, 32, 48, 112, 128}, 160, 64 * sizeof(float));
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_THAT(buckets[0].variables, ElementsAre(4, 3, 2));
  EXPECT_EQ(buckets[0].begin, 48);
  EXPECT_EQ(buckets[0].end, 160);
  EXPECT_THAT(buckets[1].variables, ElementsAre(1, 0)) << "what is left, however little";
}

TEST(Buckets, OfNoSizeHoldAVariableEach) {
  const auto buckets = CutIntoBuckets({0, 16}, 32, 0);
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_THAT(buckets[0].variables, ElementsAre(1));
  EXPECT_TRUE(CutIntoBuckets({}, 0, 64).empty());
}

TEST(Buckets, LeaveInOrderHoweverTheirGradientsBecomeFinal) {
  const auto buckets = CutIntoBuckets({0, 16, 32, 48}, 64, 32 * sizeof(float));  // {3, 2}, {1, 0}
  BucketProgress progress(buckets, 4);
  for (int step = 0; step < 2; ++step) {
    progress.Ready(1);
    progress.Ready(0);
    progress.Ready(3);
    EXPECT_FALSE(progress.NextIsReady()) << "the first bucket lacks variable 2";
    progress.Ready(2);
    EXPECT_TRUE(progress.NextIsReady());
    progress.Leave();
    EXPECT_TRUE(progress.NextIsReady());
    progress.Leave();
    EXPECT_FALSE(progress.NextIsReady());
    EXPECT_EQ(progress.next(), 2u);
    progress.Reset();
  }
}

}  // namespace
}  // namespace headrace::hvd
