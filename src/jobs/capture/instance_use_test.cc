#include "jobs/capture/instance_use.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

uint64_t Ticks(int seconds) { return static_cast<uint64_t>(seconds) * static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)); }

TEST(UseSampler, PercentOfACoreOfTheMemoryAndOfTheDisk) {
  UseSampler sampler(1000, 1 << 20, "/");
  const InstanceUse first = sampler.Sample(11'000, {1 << 18, Ticks(4), 1});
  EXPECT_DOUBLE_EQ(first.cpu, 40);  // four seconds of ten
  EXPECT_DOUBLE_EQ(first.memory, 25);
  ASSERT_TRUE(first.disk);
  EXPECT_GT(*first.disk, 0);
  EXPECT_LE(*first.disk, 100);
  EXPECT_DOUBLE_EQ(sampler.Sample(13'000, {1 << 19, Ticks(10), 1}).cpu, 300);  // three cores
  EXPECT_DOUBLE_EQ(sampler.Sample(14'000, {1 << 19, Ticks(2), 1}).cpu, 0);     // a process has ended
  EXPECT_DOUBLE_EQ(sampler.Sample(15'000, {1 << 19, Ticks(3), 1}).cpu, 100);
  EXPECT_DOUBLE_EQ(sampler.Sample(15'000, {1 << 19, Ticks(9), 1}).cpu, 0);  // no time to have used anything
}

TEST(UseSampler, MemoryIsThatOfTheMachineWhenTheInstanceIsLarger) {
  UseSampler all(0, 0, ""), larger(0, UINT64_MAX, "");
  const TreeUsage usage{1 << 30, 0, 1};
  const InstanceUse use = all.Sample(1000, usage);
  EXPECT_GT(use.memory, 0);
  EXPECT_EQ(use.memory, larger.Sample(1000, usage).memory);
  EXPECT_EQ(use.disk, std::nullopt);
}

}  // namespace
}  // namespace headrace::jobs
