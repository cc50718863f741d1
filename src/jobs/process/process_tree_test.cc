#include "jobs/process/process_tree.h"

#include <algorithm>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

TEST(ProcessTree, KnowsAllProcessesAndTheirParents) {
  char name[16];
  ::prctl(PR_GET_NAME, name);
  ::prctl(PR_SET_NAME, "a) S 1 (b");  // what a process is called may hold anything; a child is called as its parent
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  ::prctl(PR_SET_NAME, name);
  const auto all = AllProcesses();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_THAT(all, ::testing::IsSupersetOf({::getpid(), child}));
  EXPECT_EQ(ParentOf(child), ::getpid());
  EXPECT_EQ(ParentOf(::getpid()), ::getppid());
  EXPECT_THAT(Descendants(::getpid()), ::testing::Contains(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(ParentOf(child), 0);
}

}  // namespace
}  // namespace headrace::jobs
