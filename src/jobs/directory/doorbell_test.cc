#include "jobs/directory/doorbell.h"

#include <fstream>

#include <gtest/gtest.h>
#include <poll.h>

#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

bool Rings(const Doorbell& bell, int millis = 0) {
  pollfd rung{bell.descriptor(), POLLIN, 0};
  return ::poll(&rung, 1, millis) == 1;
}

TEST(Doorbell, RingsUntilItIsAnswered) {
  TemporaryDirectory directory;
  RingDoorbell(directory / "bell");  // nobody is there yet
  const Doorbell bell(directory / "bell");
  EXPECT_FALSE(Rings(bell));
  RingDoorbell(directory / "bell");
  RingDoorbell(directory / "bell");
  EXPECT_TRUE(Rings(bell));
  EXPECT_TRUE(Rings(bell));
  bell.Answer();
  EXPECT_FALSE(Rings(bell));
}

TEST(Doorbell, IsTheSameForTheNextProcess) {
  TemporaryDirectory directory;
  { const Doorbell first(directory / "bell"); }
  RingDoorbell(directory / "bell");
  const Doorbell next(directory / "bell");
  EXPECT_FALSE(Rings(next));  // it has looked before it listens
  RingDoorbell(directory / "bell");
  EXPECT_TRUE(Rings(next, 1000));
}

TEST(Doorbell, NeverRingsWhereSomethingElseIs) {
  TemporaryDirectory directory;
  std::ofstream(directory / "bell") << "file";
  const Doorbell bell(directory / "bell");
  EXPECT_EQ(bell.descriptor(), -1);
  bell.Answer();
}

}  // namespace
}  // namespace headrace::jobs
