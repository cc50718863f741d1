#include "apps/platform/heap_trim.h"

#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

namespace headrace::apps {
namespace {

TEST(HeapTrim, GivesBackWhatLiesBetweenBlocksInUse) {
  if (::mallinfo2().uordblks == 0) GTEST_SKIP() << "this build's heap is not glibc's";
  constexpr size_t kLooksOnly = SIZE_MAX / 2;  // nothing is larger than that
  const size_t begin = TrimIfGrown(kLooksOnly);
  ASSERT_GT(begin, 0U);
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 4096; ++i) {
    blocks.push_back(std::make_unique<char[]>(32 << 10));
    std::memset(blocks.back().get(), 1, 32 << 10);
  }
  const size_t full = TrimIfGrown(kLooksOnly);
  EXPECT_GT(full, begin + (size_t{100} << 20));
  for (size_t i = 0; i < blocks.size(); ++i)
    if (i % 8 != 0) blocks[i].reset();
  EXPECT_LE(TrimIfGrown(begin), begin);  // less than at the begin, where others had freed something, too
  EXPECT_LT(TrimIfGrown(kLooksOnly), begin + (size_t{40} << 20));
}

TEST(HeapTrim, EndsWhileItWaits) { const HeapTrim trim(std::chrono::hours(1)); }

}  // namespace
}  // namespace headrace::apps
