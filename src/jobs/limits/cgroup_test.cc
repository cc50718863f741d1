#include "jobs/limits/cgroup.h"

#include <csignal>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/limits/cgroup_places.h"
#include "jobs/process/child.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CgroupPlacesTest, Version2IsBelowOurOwnGroup) {
  const auto places = FindCgroupPlaces("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
                                       "0::/headrace.slice/headrace.service\n");
  EXPECT_THAT(places.version2,
              ElementsAre("/sys/fs/cgroup/headrace.slice/headrace-jobs",
                          "/sys/fs/cgroup/headrace.slice/headrace.service", "/sys/fs/cgroup/headrace"));
  EXPECT_THAT(places.memory, IsEmpty());
}

TEST(CgroupPlacesTest, AServerThatHasMadeWayLooksAboveItself) {
  const auto places =
      FindCgroupPlaces("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/a/headrace-server\n");
  EXPECT_EQ(places.version2.at(1), "/sys/fs/cgroup/a");
}

TEST(CgroupPlacesTest, Version1HasATreeForEachController) {
  const auto places = FindCgroupPlaces(
      "31 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
      "32 30 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
      "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
      "8:pids:/\n4:memory:/session/7\n2:cpu,cpuacct:/x\n");
  EXPECT_EQ(places.memory, "/sys/fs/cgroup/memory/session/7");
  EXPECT_EQ(places.tasks, "/sys/fs/cgroup/pids");
  EXPECT_THAT(places.version2, IsEmpty());
}

TEST(CgroupPlacesTest, AContainerSeesAPartOfTheTree) {
  const auto places = FindCgroupPlaces("31 30 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
                                       "4:memory:/docker/abc/sub\n");
  EXPECT_EQ(places.memory, "/sys/fs/cgroup/memory/sub");
}

TEST(CgroupPlacesTest, BrokenTextsHaveNoPlaces) {
  const auto places = FindCgroupPlaces("- cgroup2\n30 - cgroup\n\n - - -", ":::\nx");
  EXPECT_THAT(places.version2, IsEmpty());
  EXPECT_THAT(places.memory, IsEmpty());
}

TEST(CgroupTest, WithoutLimitsThereIsNoGroup) {
  const Cgroup group;
  EXPECT_THAT(group.entrances(), IsEmpty());
  EXPECT_FALSE(group.limits_memory() || group.limits_tasks());
}

TEST(CgroupTest, RefusesForksAboveItsLimitAndEndsWhatIsLeft) {
  const Cgroup group(GroupLimits{uint64_t{1} << 30, 8});
  if (!group.limits_tasks()) GTEST_SKIP() << "no control groups for us on this machine";
  auto child =
      StartChild({.arguments = {"/bin/sh", "-c", "i=0; while [ $i -lt 20 ]; do sleep 60 & i=$((i+1)); done; wait"},
                  .environment = {{"PATH", "/usr/bin:/bin"}},
                  .groups = group.entrances()});
  ASSERT_TRUE(child);
  for (int i = 0; i < 1000 && group.RefusedForks() == 0; ++i) ::usleep(10'000);
  EXPECT_GT(group.RefusedForks(), 0u);
  group.KillAll();
  int status = 0;
  EXPECT_EQ(::waitpid(child->pid, &status, 0), child->pid);
  EXPECT_TRUE(WIFSIGNALED(status) || WIFEXITED(status));
}

TEST(CgroupTest, OnlyGroupsOfProcessesThatHaveEndedAreLeft) {
  const Cgroup mine(GroupLimits{0, 8});
  if (!mine.limits_tasks()) GTEST_SKIP() << "no control groups for us on this machine";
  // Beside it one of a process that is not to be seen: of our name space, and with a number that nobody has.
  const std::string own = std::filesystem::path(mine.entrances().front()).parent_path();
  const auto pid = own.find("-" + std::to_string(::getpid()) + "-");
  ASSERT_NE(pid, std::string::npos) << own;
  const std::string unseen = own.substr(0, pid) + "-4194305-" + std::to_string(::getpid()) + "-1";
  ASSERT_EQ(::mkdir(unseen.c_str(), 0755), 0);
  const Descriptor lock(::open(unseen.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  Cgroup::RemoveLeft();
  EXPECT_TRUE(std::filesystem::exists(unseen)) << "its maker lives, and has locked it";
  EXPECT_TRUE(std::filesystem::exists(own));
  ::flock(lock.get(), LOCK_UN);
  Cgroup::RemoveLeft();
  EXPECT_FALSE(std::filesystem::exists(unseen));
  EXPECT_TRUE(std::filesystem::exists(own));
}

TEST(CgroupTest, CountsMemoryThatNoProcessHasMapped) {
  const Cgroup group(GroupLimits{uint64_t{64} << 20, 0});
  if (!group.limits_memory()) GTEST_SKIP() << "no control groups for us on this machine";
  const auto file = "/dev/shm/headrace-cgroup-test-" + std::to_string(::getpid());
  auto child = StartChild({.arguments = {"/bin/sh", "-c", "head -c 200000000 /dev/zero > " + file + "; sleep 60"},
                           .environment = {{"PATH", "/usr/bin:/bin"}},
                           .groups = group.entrances()});
  ASSERT_TRUE(child);
  for (int i = 0; i < 1000 && group.OomKills() == 0; ++i) ::usleep(10'000);
  EXPECT_GT(group.OomKills(), 0u);
  EXPECT_GT(group.MemoryBytes(), uint64_t{32} << 20);
  ::unlink(file.c_str());
  group.KillAll();
  ::waitpid(child->pid, nullptr, 0);
}

}  // namespace
}  // namespace headrace::jobs
