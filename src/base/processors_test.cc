#include "base/processors.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace {
namespace {

TEST(Processors, AThreadIsBoundToOneOfThem) {
  const std::vector<int> all = Processors();
  ASSERT_FALSE(all.empty());
  for (size_t index : {size_t{0}, all.size() - 1, all.size() + 1}) {
    std::vector<int> own;
    std::thread([&] {
      BindThisThread(all, index);
      own = Processors();
    }).join();
    EXPECT_THAT(own, ::testing::ElementsAre(all[index % all.size()]));
  }
  EXPECT_EQ(Processors(), all);  // the others are as free as before
}

TEST(Processors, NoneLeaveTheThreadAsItIs) {
  const std::vector<int> all = Processors();
  std::thread([&] {
    BindThisThread({}, 3);
    EXPECT_EQ(Processors(), all);
  }).join();
}

}  // namespace
}  // namespace headrace
