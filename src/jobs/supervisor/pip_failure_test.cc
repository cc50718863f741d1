#include "jobs/supervisor/pip_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PipFailureTest, SaysThatTheIndexIsOutOfReachAndWhatWasWanted) {
  const std::string warning =
      "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(...)': /simple/numpy/";
  const auto text =
      PipFailure({warning, warning, "ERROR: Could not find a version that satisfies the requirement numpy",
                  "ERROR: No matching distribution found for numpy"});
  EXPECT_THAT(text, HasSubstr("the package index cannot be reached"));
  EXPECT_THAT(text, HasSubstr("\nERROR: No matching distribution found for numpy"));
  EXPECT_THAT(text, Not(HasSubstr("Retrying")));
}

TEST(PipFailureTest, BeginsWithTheFirstError) {
  EXPECT_EQ(PipFailure({"noise", "ERROR: one", "  detail"}), "ERROR: one\n  detail");
  EXPECT_EQ(PipFailure({"/usr/bin/python3: No module named pip"}), "/usr/bin/python3: No module named pip");
}

TEST(PipFailureTest, LeavesOutWhatWouldCrowdTheErrorsOut) {
  EXPECT_EQ(PipFailure({"  error: subprocess-exited-with-error", std::string(800, 'x'), "    error: invalid command"}),
            "  error: subprocess-exited-with-error\n    error: invalid command");
}

TEST(PipFailureTest, ShowsEverythingWhereNothingIsKnown) { EXPECT_EQ(PipFailure({"a", "b"}), "a\nb"); }

}  // namespace
}  // namespace headrace::jobs
