#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/pack.h"
#include "jobs/archive/testing/forger.h"
#include "jobs/archive/unpack.h"

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ArchiveTest : public ::testing::Test {
 protected:
  // What unpacking one forged entry, behind an honest one, says.
  std::string Refusal(const std::string& name, unsigned type, const std::string& link = "", bool hard = false) {
    const auto path = dir_ / "a.tar.gz";
    {
      Forger forger(path);
      forger.Add("ok", AE_IFREG, "", "x");
      forger.Add(name, type, link, "", hard);
    }
    fs::remove_all(dir_ / "out");
    const auto unpacked = UnpackArchive(path, dir_ / "out");
    return unpacked ? "accepted" : unpacked.error().message();
  }
  TemporaryDirectory dir_;
};

TEST_F(ArchiveTest, RoundTripKeepsFilesDirectoriesLinksAndPermissions) {
  fs::create_directories(dir_ / "in/sub/empty");
  std::ofstream(dir_ / "in/sub/file") << "bytes";
  std::ofstream(dir_ / "in/run.sh") << "#!/bin/sh\n";
  ::chmod((dir_ / "in/run.sh").c_str(), 0755);
  fs::create_symlink("sub/file", dir_ / "in/link");
  ASSERT_TRUE(PackDirectory(dir_ / "in", dir_ / "a.tar.gz"));
  ASSERT_TRUE(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out"));
  EXPECT_EQ(ReadFile(dir_ / "out/sub/file").value(), "bytes");
  EXPECT_EQ(ReadFile(dir_ / "out/link").value(), "bytes");
  EXPECT_TRUE(fs::is_directory(dir_ / "out/sub/empty"));
  EXPECT_EQ(::access((dir_ / "out/run.sh").c_str(), X_OK), 0);
}

TEST_F(ArchiveTest, RefusesWhatLeadsOutside) {
  EXPECT_THAT(Refusal("/etc/x", AE_IFREG), HasSubstr("'/etc/x' has an absolute name"));
  EXPECT_THAT(Refusal("../x", AE_IFREG), HasSubstr("'../x' leads out of the directory"));
  EXPECT_THAT(Refusal("a/../../x", AE_IFREG), HasSubstr("leads out"));
  EXPECT_THAT(Refusal("x", AE_IFLNK, "/etc/passwd"), HasSubstr("is a link that leads outside, to '/etc/passwd'"));
  EXPECT_THAT(Refusal("d/x", AE_IFLNK, "../../etc"), HasSubstr("leads outside"));
  EXPECT_EQ(Refusal("d/x", AE_IFLNK, "../ok"), "accepted");
  EXPECT_THAT(Refusal("x", AE_IFREG, "/etc/passwd", true), HasSubstr("hard link that leads outside"));
  EXPECT_THAT(Refusal("x", AE_IFREG, "../y", true), HasSubstr("hard link that leads outside"));
  EXPECT_THAT(Refusal("x", AE_IFCHR), HasSubstr("device, pipe or socket"));
  EXPECT_THAT(Refusal("x", AE_IFIFO), HasSubstr("device, pipe or socket"));
}

// A link inside that an entry then writes through: link -> sub, sub replaced by nothing; link/x must not follow.
TEST_F(ArchiveTest, DoesNotWriteThroughLinks) {
  {
    Forger forger(dir_ / "a.tar.gz");
    forger.Add("d/", AE_IFDIR);
    forger.Add("d/up", AE_IFLNK, "..");
    forger.Add("d/up/through", AE_IFREG, "", "x");
  }
  // Either refused, or the link is replaced: nothing may appear where it led.
  const auto unpacked = UnpackArchive(dir_ / "a.tar.gz", dir_ / "out");
  EXPECT_FALSE(fs::exists(dir_ / "out/through")) << (unpacked ? "accepted" : unpacked.error().message());
}

TEST_F(ArchiveTest, BoundsWhatComesOut) {
  {
    Forger forger(dir_ / "bomb.tar.gz");
    forger.Add("zeros", AE_IFREG, "", std::string(80 << 20, '\0'));
  }
  EXPECT_THAT(UnpackArchive(dir_ / "bomb.tar.gz", dir_ / "o1").error().message(),
              HasSubstr("more than 200 times its size, with its entry 'zeros'"));
  EXPECT_THAT(UnpackArchive(dir_ / "bomb.tar.gz", dir_ / "o2", {.total_bytes = 1 << 20}).error().message(),
              HasSubstr("more than 1048576 bytes, with its entry 'zeros'"));
  {
    Forger forger(dir_ / "many.tar.gz");
    for (int i = 0; i < 11; ++i) forger.Add(std::to_string(i), AE_IFREG);
  }
  EXPECT_THAT(UnpackArchive(dir_ / "many.tar.gz", dir_ / "o3", {.files = 10}).error().message(),
              HasSubstr("more than 10 entries"));
}

TEST_F(ArchiveTest, SaysWhatIsNoArchive) {
  std::ofstream(dir_ / "x.tar.gz") << "this is no archive at all, only some text";
  EXPECT_EQ(UnpackArchive(dir_ / "x.tar.gz", dir_ / "out").error().code(), ErrorCode::kDataLoss);
  EXPECT_FALSE(UnpackArchive(dir_ / "none", dir_ / "out"));
}

TEST_F(ArchiveTest, PacksLinksAsLinksAndLeavesSpecialFilesOut) {
  fs::create_directories(dir_ / "in");
  std::ofstream(dir_ / "secret") << "secret";
  fs::create_symlink(dir_ / "secret", dir_ / "in/leak");
  ::mkfifo((dir_ / "in/fifo").c_str(), 0600);
  ASSERT_TRUE(PackDirectory(dir_ / "in", dir_ / "a.tar.gz"));
  EXPECT_THAT(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out").error().message(),
              HasSubstr("'leak' is a link that leads outside"));
  ASSERT_TRUE(CopyTree(dir_ / "in", dir_ / "copy"));
  EXPECT_FALSE(fs::exists(dir_ / "copy/leak"));
}

}  // namespace
}  // namespace headrace::jobs
