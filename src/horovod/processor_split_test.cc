#include "horovod/processor_split.h"

#include <gtest/gtest.h>

namespace headrace::hvd {
namespace {

std::vector<std::vector<int>> SharesOf(const std::vector<std::vector<int>>& allowed) {
  std::vector<std::vector<int>> processors;
  for (const auto& share : SplitProcessors(allowed)) processors.push_back(share.processors);
  return processors;
}

using Sets = std::vector<std::vector<int>>;

TEST(ProcessorSplit, RanksThatMayUseTheSameOnesGetNeighbours) {
  EXPECT_EQ(SharesOf({{0, 1, 2, 3}, {0, 1, 2, 3}}), (Sets{{0, 1}, {2, 3}}));
  EXPECT_EQ(SharesOf({{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}), (Sets{{0, 1}, {2, 3, 4}}));
  EXPECT_TRUE(SplitProcessors({{0, 1}, {0, 1}})[0].own);
}

TEST(ProcessorSplit, WhatIsApartStaysAsItIs) {
  EXPECT_EQ(SharesOf({{0, 1}, {2, 3}}), (Sets{{0, 1}, {2, 3}}));
  EXPECT_EQ(SharesOf({{5}}), (Sets{{5}}));
}

TEST(ProcessorSplit, PartialOverlapIsDividedWithoutLoss) {
  EXPECT_EQ(SharesOf({{0, 1}, {0, 1, 2, 3}}), (Sets{{0, 1}, {2, 3}}));
  EXPECT_EQ(SharesOf({{0}, {0, 1}}), (Sets{{0}, {1}}));
}

TEST(ProcessorSplit, MoreRanksThanProcessorsShareThem) {
  const auto shares = SplitProcessors({{0, 1}, {0, 1}, {0, 1}, {0, 1}});
  EXPECT_EQ(SharesOf({{0, 1}, {0, 1}, {0, 1}, {0, 1}}), (Sets{{0}, {1}, {0}, {1}}));
  for (const auto& share : shares) EXPECT_FALSE(share.own);
}

// Both of mpirun's daemons on one machine bind to its first processor.
TEST(ProcessorSplit, RanksBoundToOneProcessorStayThere) {
  const auto shares = SplitProcessors({{0}, {0}});
  EXPECT_EQ(shares[0].processors, std::vector<int>{0});
  EXPECT_FALSE(shares[0].own);
}

}  // namespace
}  // namespace headrace::hvd
