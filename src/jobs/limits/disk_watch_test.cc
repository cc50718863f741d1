#include "jobs/limits/disk_watch.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/testing/temporary_directory.h"
#include "jobs/limits/disk_use.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint64_t kMiB = uint64_t{1} << 20;

void WriteFileOf(const std::string& path, size_t bytes) { std::ofstream(path) << std::string(bytes, 'x'); }

TEST(DiskUseTest, CountsWhatIsOnTheDiskOnce) {
  TemporaryDirectory dir;
  fs::create_directories(dir / "a/b");
  WriteFileOf(dir / "a/b/file", kMiB);
  fs::create_hard_link(dir / "a/b/file", dir / "a/again");
  std::ofstream(dir / "hole").close();
  fs::resize_file(dir / "hole", 1 << 30);
  fs::create_directories(dir / "left");
  WriteFileOf(dir / "left/out", kMiB);
  const auto use = DiskUseBelow({dir.path(), dir / "nothing"}, {"left"});
  EXPECT_TRUE(use.whole);
  EXPECT_GE(use.bytes, kMiB);
  EXPECT_LT(use.bytes, 2 * kMiB);
}

TEST(DiskUseTest, EmptyFilesTakeRoomToo) {
  TemporaryDirectory dir;
  for (int i = 0; i < 100; ++i) WriteFileOf(dir / std::to_string(i), 0);
  EXPECT_GE(DiskUseBelow({dir.path()}).bytes, 100u * 4096);
}

TEST(DiskUseTest, FindsFilesThatHaveNoName) {
  TemporaryDirectory dir;
  const Descriptor file(::open((dir / "gone").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const std::string bytes(kMiB, 'x');
  ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(DiskUseOfNameless({::getpid()}, dir.path()), 0u);
  ::unlink((dir / "gone").c_str());
  EXPECT_GE(DiskUseOfNameless({::getpid()}, dir.path()), kMiB);
}

// A disk of 100 MiB, a clock and a job, all in the test's hands.
class DiskWatchTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kDisk = 100 * kMiB;

  DiskWatch Watch(DiskLimits limits) {
    return {limits,
            {[this] { return kDisk - used_ - others_; },
             [this](const std::vector<pid_t>&) {
               ++measured_;
               now_ += cost_;
               return DiskUse{hidden_ ? 0 : used_, !hidden_};
             }}};
  }
  std::string Look(DiskWatch& watch, int64_t after) {
    now_ += after;
    return watch.Look(
        now_, [] { return std::vector<pid_t>(); }, [this] { return now_; });
  }

  uint64_t used_ = 5 * kMiB, others_ = 0;
  bool hidden_ = false;
  int64_t now_ = 1000, cost_ = 0;
  int measured_ = 0;
};

TEST_F(DiskWatchTest, AJobBeyondItsVolumeIsSeenAtTheNextGlance) {
  auto watch = Watch({20 * kMiB, 0});
  EXPECT_EQ(Look(watch, 0), "");
  used_ = 21 * kMiB;
  EXPECT_EQ(Look(watch, 50), "");  // not yet
  const auto reason = Look(watch, 100);
  EXPECT_THAT(reason, StartsWith("AlgorithmError: out of disk: the job's files take 21.0 MiB"));
  EXPECT_THAT(reason, HasSubstr("allows 20.0 MiB"));
  EXPECT_FALSE(watch.full());
}

TEST_F(DiskWatchTest, FilesAreNotGoneThroughWhileTheFreeSpaceSaysThatAllIsWell) {
  auto watch = Watch({20 * kMiB, 0});
  for (int i = 0; i < 40; ++i) EXPECT_EQ(Look(watch, 100), "");
  EXPECT_EQ(measured_, 1);
  Look(watch, 2000);
  EXPECT_EQ(measured_, 2);  // others may have freed what the job has taken
}

TEST_F(DiskWatchTest, MeasuringTakesABoundedShareOfTime) {
  auto watch = Watch({20 * kMiB, 0});
  cost_ = 1000;
  Look(watch, 0);
  others_ = 50 * kMiB;  // suspect from now on, but innocent
  for (int i = 0; i < 80; ++i) EXPECT_EQ(Look(watch, 100), "");
  EXPECT_EQ(measured_, 1);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Look(watch, 100), "");
  EXPECT_EQ(measured_, 2);
}

TEST_F(DiskWatchTest, OthersUseIsNotTheJobs) {
  auto watch = Watch({20 * kMiB, 4 * kMiB});
  Look(watch, 0);
  others_ = 93 * kMiB;
  EXPECT_EQ(Look(watch, 1000), "");  // the disk is full, and the job has written nothing
}

TEST_F(DiskWatchTest, AJobThatHasFilledTheDiskIsEnded) {
  auto watch = Watch({0, 4 * kMiB});
  Look(watch, 0);
  used_ = 97 * kMiB;
  EXPECT_THAT(Look(watch, 1000), HasSubstr("is full, and the job's files take 97.0 MiB"));
  EXPECT_TRUE(watch.full());
}

TEST_F(DiskWatchTest, WhatHidesCountsAsAllThatHasGone) {
  auto watch = Watch({20 * kMiB, 0});
  Look(watch, 0);
  hidden_ = true;
  used_ = 30 * kMiB;
  EXPECT_THAT(Look(watch, 1000), HasSubstr("30.0 MiB"));
}

TEST_F(DiskWatchTest, WithoutLimitsNothingIsLookedAt) {
  auto watch = Watch({});
  EXPECT_EQ(Look(watch, 1000), "");
  EXPECT_EQ(measured_, 0);
}

}  // namespace
}  // namespace headrace::jobs
