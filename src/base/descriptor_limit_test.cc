#include "base/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headrace {
namespace {

TEST(DescriptorLimitTest, IsRaisedHereAndGivenBackToChildren) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  if (before.rlim_max < 200) GTEST_SKIP() << "the hard limit of descriptors is " << before.rlim_max;
  rlimit low = before;
  low.rlim_cur = 150;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(RaiseDescriptorLimit(), before.rlim_max);
  EXPECT_EQ(DescriptorLimit(), before.rlim_max);
  const pid_t child = ::fork();
  if (child == 0) {
    GiveBackDescriptorLimit();
    ::_exit(DescriptorLimit() == 150 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace headrace
