#include "jobs/request/mpi_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Split(std::string_view text) { return ValueOrThrow(SplitMpiOptions(text)); }

TEST(MpiOptions, AreSplitAsAShellSplitsWords) {
  EXPECT_THAT(Split(""), IsEmpty());
  EXPECT_THAT(Split(" \t\n"), IsEmpty());
  EXPECT_THAT(Split("-x A=1  --oversubscribe"), ElementsAre("-x", "A=1", "--oversubscribe"));
  EXPECT_THAT(Split("-x 'A=1 2' -x \"B='3'\" -x C=\\ 4 ''"),
              ElementsAre("-x", "A=1 2", "-x", "B='3'", "-x", "C= 4", ""));
}

TEST(MpiOptions, TheToolkitsOwnIsLeftOut) {
  EXPECT_THAT(Split("--NCCL_DEBUG INFO -x A"), ElementsAre("-x", "A"));
  EXPECT_THAT(Split("-x A --NCCL_DEBUG"), ElementsAre("-x", "A"));
}

TEST(MpiOptions, WhatIsThePlatformsToSayIsRefusedByName) {
  for (const char* text : {"--host a", "-H a", "-hostfile f", "--hostfile f", "-machinefile f", "-np 3", "-n 3", "-c 2",
                           "--app f", "--prefix /x", "-mca plm_rsh_agent sh", "--mca plm slurm", "--tune f", "a : b",
                           "-mca odls_base_sigkill_timeout 99", "-gmca orte_launch_agent x", "-x A --host b"}) {
    const auto split = SplitMpiOptions(text);
    ASSERT_FALSE(split) << text;
    EXPECT_THAT(split.error().message(), HasSubstr("leave it out")) << text;
  }
  EXPECT_THAT(SplitMpiOptions("-x 'A").error().message(), HasSubstr("a quote ' is not closed"));
  EXPECT_FALSE(SplitMpiOptions(std::string_view("-x a\0b", 6)));
}

TEST(MpiOptions, OthersAreHandedOn) {
  EXPECT_THAT(Split("-mca btl_base_verbose 30 --timeout 60 -map-by node -x LD_PRELOAD"),
              ElementsAre("-mca", "btl_base_verbose", "30", "--timeout", "60", "-map-by", "node", "-x", "LD_PRELOAD"));
}

}  // namespace
}  // namespace headrace::jobs
