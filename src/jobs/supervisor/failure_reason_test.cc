#include "jobs/supervisor/failure_reason.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(FailureReason, BeginsWithTheFailureFile) {
  EXPECT_EQ(FailureReason(
                {.end = {.exit_code = 3, .peak_bytes = kGiB}, .failure_file = " no data\n", .last_lines = {"ignored"}}),
            "AlgorithmError: no data, exit code: 3, peak memory 1.0 GiB");
}

TEST(FailureReason, FitsWhateverTheProgramWrote) {
  const auto reason =
      FailureReason({.end = {.exit_code = 3},
                     .failure_file = std::string(500, 'x') + std::string("\xc3\xbc", 2) + std::string(5000, 'y')});
  EXPECT_LE(reason.size(), kLongestFailureReason);
  EXPECT_THAT(reason, EndsWith(", exit code: 3, peak memory 0 B"));
  const auto lines =
      FailureReason({.end = {.exit_code = 1}, .last_lines = std::vector<std::string>(30, std::string(100, 'z'))});
  EXPECT_LE(lines.size(), kLongestFailureReason);
  EXPECT_THAT(lines, StartsWith("AlgorithmError: exit code: 1"));
  EXPECT_EQ(Truncate("a\xc3\xbc", 2), "a");
}

TEST(FailureReason, NamesSignalAndMemory) {
  EXPECT_THAT(FailureReason({.end = {.exit_code = 139, .signal = SIGSEGV}}),
              HasSubstr("killed by SIGSEGV, exit code: 139"));
  EXPECT_THAT(
      FailureReason({.end = {.exit_code = 137, .signal = SIGKILL, .out_of_memory = true, .peak_bytes = 5 * kGiB},
                     .memory_limit = 4 * kGiB,
                     .instance_type = "ml.t3.medium"}),
      HasSubstr("out of memory: the job used 5.0 GiB of the 4.0 GiB of ml.t3.medium and was killed"));
  EXPECT_THAT(FailureReason({.end = {.exit_code = 137, .signal = SIGKILL, .out_of_memory = true, .peak_bytes = kGiB}}),
              HasSubstr("the kernel killed"));
}

}  // namespace
}  // namespace headrace::jobs
