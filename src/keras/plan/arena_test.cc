#include "keras/plan/arena.h"

#include <gtest/gtest.h>

namespace headrace::keras::internal {
namespace {

TEST(ArenaTest, DisjointLifetimesShareBytes) {
  Arena arena;
  const BufferId a = arena.Add(8192), b = arena.Add(8192), c = arena.Add(8192);
  arena.Use(a, 0), arena.Use(a, 1);
  arena.Use(b, 1), arena.Use(b, 2);
  arena.Use(c, 2), arena.Use(c, 3);
  arena.Allocate();
  EXPECT_EQ(arena.bytes(), 2u * 8192);
  EXPECT_EQ(arena.At(a), arena.At(c));
  EXPECT_NE(arena.At(a), arena.At(b));
}

TEST(ArenaTest, OverlappingLifetimesDoNot) {
  Arena arena;
  std::vector<BufferId> ids;
  for (size_t i = 0; i < 20; ++i) {
    ids.push_back(arena.Add(4096 * (1 + i % 5)));
    arena.Use(ids.back(), static_cast<int>(i));
    arena.Use(ids.back(), static_cast<int>(40 - i));  // nested, as forward and backward are
  }
  arena.Allocate();
  for (size_t i = 0; i < ids.size(); ++i)
    for (size_t j = i + 1; j < ids.size(); ++j) {
      const char *x = static_cast<char*>(arena.At(ids[i])), *y = static_cast<char*>(arena.At(ids[j]));
      EXPECT_TRUE(x + 4096 * (1 + i % 5) <= y || y + 4096 * (1 + j % 5) <= x);
    }
}

TEST(ArenaTest, UnusedBuffersCostNothing) {
  Arena arena;
  arena.Add(1 << 30);
  const BufferId used = arena.Add(1);
  arena.Use(used, 0);
  arena.Allocate();
  EXPECT_EQ(arena.bytes(), 4096u);
}

}  // namespace
}  // namespace headrace::keras::internal
