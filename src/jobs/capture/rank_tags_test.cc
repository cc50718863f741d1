#include "jobs/capture/rank_tags.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(RankTags, NameRankAndHostAsSageMakersContainersDo) {
  const RankTags tags({"algo-1", "algo-2"}, 2);
  EXPECT_EQ(tags.Of(0, "stdout"), "[1,mpirank:0,algo-1]<stdout>:");
  EXPECT_EQ(tags.Of(3, "stderr"), "[1,mpirank:3,algo-2]<stderr>:");
}

TEST(RankTags, AreMpirunsOwnWhereNobodyKnowsTheHost) {
  EXPECT_EQ(RankTags({"algo-1", "algo-2"}, 0).Of(1, "stdout"), "[1,1]<stdout>:");
  EXPECT_EQ(RankTags({"algo-1", "algo-2"}, 1).Of(2, "stdout"), "[1,2]<stdout>:");
}

}  // namespace
}  // namespace headrace::jobs
