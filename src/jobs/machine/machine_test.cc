#include "jobs/machine/machine.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(Machine, SaysWhatThereIs) {
  Machine machine({.job_cores = 3, .sandbox = false, .python = "/nowhere/python3"});
  EXPECT_EQ(machine.cores().for_jobs(), 3);
  EXPECT_GT(machine.most_memory_of_one(), uint64_t{1} << 28);
  ASSERT_FALSE(machine.sandbox());
  EXPECT_EQ(machine.sandbox().error().message(), "the platform was started without sandboxes");
  EXPECT_EQ(machine.interpreters().For("any").interpreter.program, "");
}

}  // namespace
}  // namespace headrace::jobs
