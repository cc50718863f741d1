#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/merge.h"
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
  std::ofstream(dir_ / "in/sub/file.17.headrace-tmp") << "by";
  fs::create_symlink("sub/file", dir_ / "in/link");
  ASSERT_TRUE(PackDirectory(dir_ / "in", dir_ / "a.tar.gz"));
  ASSERT_TRUE(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out"));
  EXPECT_EQ(ReadFile(dir_ / "out/sub/file").value(), "bytes");
  EXPECT_EQ(ReadFile(dir_ / "out/link").value(), "bytes");
  EXPECT_FALSE(fs::exists(dir_ / "out/sub/file.17.headrace-tmp")) << "a killed process has left it";
  EXPECT_TRUE(fs::is_directory(dir_ / "out/sub/empty"));
  EXPECT_EQ(::access((dir_ / "out/run.sh").c_str(), X_OK), 0);
}

TEST_F(ArchiveTest, OfSeveralOneIsMadeInWhichTheFirstOnesFilesStay) {
  for (const char* host : {"one", "two"}) {
    fs::create_directories(dir_ / (std::string(host) + "/shared"));
    std::ofstream(dir_ / (std::string(host) + "/shared/weights")) << host;
    std::ofstream(dir_ / (std::string(host) + "/" + host)) << "only here";
    std::ofstream(dir_ / (std::string(host) + "/alike")) << std::string(100'000, 'x');
    fs::create_symlink("one", dir_ / (std::string(host) + "/link"));
    fs::create_symlink(host, dir_ / (std::string(host) + "/other link"));
  }
  std::ofstream(dir_ / "one/export") << "a file";
  fs::create_directories(dir_ / "two/export/1");
  std::ofstream(dir_ / "two/export/1/weights") << "in a directory";
  ASSERT_EQ(::truncate((dir_ / "two/two").c_str(), off_t{1} << 40), 0);  // a hole
  for (const char* host : {"one", "two"})
    ASSERT_TRUE(PackDirectory(dir_ / host, dir_ / (std::string(host) + ".tar.gz")));
  const auto left_out =
      MergeArchives({dir_ / "one.tar.gz", dir_ / "two.tar.gz"}, dir_ / "both.tar.gz", [] { return false; });
  ASSERT_TRUE(left_out) << left_out.error().message();
  EXPECT_THAT(*left_out,
              testing::UnorderedElementsAre(LeftOut{"shared/weights", EntryKind::kFile, EntryKind::kFile, 0, 1},
                                            LeftOut{"other link", EntryKind::kLink, EntryKind::kLink, 0, 1},
                                            LeftOut{"export", EntryKind::kFile, EntryKind::kDirectory, 0, 1}));
  EXPECT_LT(fs::file_size(dir_ / "both.tar.gz"), 10'000u);
  ASSERT_TRUE(
      UnpackArchive(dir_ / "both.tar.gz", dir_ / "out", {.total_bytes = uint64_t{1} << 41, .ratio = UINT64_MAX}));
  EXPECT_EQ(ReadFile(dir_ / "out/shared/weights").value(), "one");
  EXPECT_EQ(ReadFile(dir_ / "out/one").value(), "only here");
  EXPECT_EQ(ReadFile(dir_ / "out/export").value(), "a file");
  EXPECT_EQ(ReadFile(dir_ / "out/alike").value().size(), 100'000u);
  EXPECT_EQ(fs::read_symlink(dir_ / "out/other link"), "one");
  EXPECT_EQ(fs::file_size(dir_ / "out/two"), uintmax_t{1} << 40);
  EXPECT_FALSE(MergeArchives({dir_ / "absent"}, dir_ / "none.tar.gz", [] { return false; }));
  EXPECT_FALSE(fs::exists(dir_ / "none.tar.gz.part"));
  int pieces = 0;
  const auto cancelled =
      MergeArchives({dir_ / "both.tar.gz", dir_ / "one.tar.gz"}, dir_ / "none.tar.gz", [&] { return ++pieces > 3; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(fs::exists(dir_ / "none.tar.gz.part"));
}

TEST_F(ArchiveTest, RefusesWhatLeadsOutside) {
  EXPECT_THAT(Refusal("/etc/x", AE_IFREG), HasSubstr("'/etc/x' has an absolute name"));
  EXPECT_THAT(Refusal("../x", AE_IFREG), HasSubstr("'../x' leads out of the directory"));
  EXPECT_THAT(Refusal("a/../../x", AE_IFREG), HasSubstr("leads out"));
  EXPECT_THAT(Refusal("x", AE_IFLNK, "/etc/passwd"), HasSubstr("is a link that leads outside, to '/etc/passwd'"));
  EXPECT_THAT(Refusal("d/x", AE_IFLNK, "../../etc"), HasSubstr("leads outside"));
  // Behind a part that is a link itself, ".." is another directory than it says.
  EXPECT_THAT(Refusal("d/x", AE_IFLNK, "y/../z"), HasSubstr("leads outside"));
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

TEST_F(ArchiveTest, SizesAreCheckedBeforeAnythingIsWritten) {
  {
    Forger forger(dir_ / "large.tar.gz");
    forger.Add("large", AE_IFREG, "", std::string(2 << 20, 'x'));
  }
  EXPECT_EQ(UnpackArchive(dir_ / "large.tar.gz", dir_ / "out", {.total_bytes = 1 << 20}).error().code(),
            ErrorCode::kResourceExhausted);
  EXPECT_FALSE(fs::exists(dir_ / "out/large"));
}

// As tar -C and the SageMaker SDK write them.
TEST_F(ArchiveTest, TheTopDirectoryMayBeAnEntry) {
  for (const char* top : {"/", "./", "."}) {
    fs::remove_all(dir_ / "out");
    {
      Forger forger(dir_ / "a.tar.gz");
      forger.Add(top, AE_IFDIR);
      forger.Add("./1/./saved_model.pb", AE_IFREG, "", "bytes");
    }
    ASSERT_TRUE(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out")) << top;
    EXPECT_EQ(ReadFile(dir_ / "out/1/saved_model.pb").value(), "bytes");
  }
}

TEST_F(ArchiveTest, SeveralGzipMembersAreOneArchive) {
  {
    Forger forger(dir_ / "a.tar.gz");
    forger.Add("file", AE_IFREG, "", "bytes");
  }
  // The archive is continued by a member that holds nothing, and by one that holds more of the same zeros.
  const auto whole = ReadFile(dir_ / "a.tar.gz").value();
  const unsigned char empty[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  std::ofstream(dir_ / "a.tar.gz", std::ios::app).write(reinterpret_cast<const char*>(empty), sizeof empty);
  ASSERT_TRUE(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out"));
  EXPECT_EQ(ReadFile(dir_ / "out/file").value(), "bytes");
}

TEST_F(ArchiveTest, ChecksumsAndLengthsAreVerified) {
  {
    Forger forger(dir_ / "a.tar.gz");
    forger.Add("file", AE_IFREG, "", "bytes");
  }
  const auto whole = ReadFile(dir_ / "a.tar.gz").value();
  for (const size_t back : {1, 5, 8}) {  // the length, the checksum
    auto wrong = whole;
    wrong[wrong.size() - back] = static_cast<char>(wrong[wrong.size() - back] ^ 1);
    ASSERT_TRUE(WriteFileAtomically(dir_ / "b.tar.gz", wrong));
    fs::remove_all(dir_ / "out");
    EXPECT_EQ(UnpackArchive(dir_ / "b.tar.gz", dir_ / "out").error().code(), ErrorCode::kDataLoss) << back;
  }
  for (const size_t cut : {1, 8, 20}) {
    ASSERT_TRUE(WriteFileAtomically(dir_ / "b.tar.gz", whole.substr(0, whole.size() - cut)));
    fs::remove_all(dir_ / "out");
    EXPECT_EQ(UnpackArchive(dir_ / "b.tar.gz", dir_ / "out").error().code(), ErrorCode::kDataLoss) << cut;
  }
}

TEST_F(ArchiveTest, DirectoriesThatNobodyNamedCountToo) {
  {
    Forger forger(dir_ / "a.tar.gz");
    for (int i = 0; i < 4; ++i) forger.Add(std::to_string(i) + "/b/c/d/e/f/g/file", AE_IFREG);
  }
  EXPECT_THAT(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out", {.files = 20}).error().message(),
              HasSubstr("more than 20 entries"));
  EXPECT_TRUE(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out2", {.files = 40}));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "d/";
  {
    Forger forger(dir_ / "b.tar.gz");
    forger.Add(deep + "file", AE_IFREG);
  }
  EXPECT_THAT(UnpackArchive(dir_ / "b.tar.gz", dir_ / "out3").error().message(), HasSubstr("deeper than 128"));
}

// A hard link to a symbolic link would be that link from another directory.
TEST_F(ArchiveTest, HardLinksAreOtherNamesOfFiles) {
  {
    Forger forger(dir_ / "a.tar.gz");
    forger.Add("file", AE_IFREG, "", "bytes");
    forger.Add("d/e/up", AE_IFLNK, "../../file");
    forger.Add("d/other", AE_IFREG, "file", "", true);
  }
  ASSERT_TRUE(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out"));
  EXPECT_EQ(ReadFile(dir_ / "out/d/other").value(), "bytes");
  {
    Forger forger(dir_ / "b.tar.gz");
    forger.Add("d/e/up", AE_IFLNK, "../../file");
    forger.Add("out", AE_IFREG, "d/e/up", "", true);
  }
  EXPECT_THAT(UnpackArchive(dir_ / "b.tar.gz", dir_ / "out2").error().message(), HasSubstr("what is no file"));
}

TEST_F(ArchiveTest, HolesArePackedAsHoles) {
  fs::create_directories(dir_ / "in");
  std::ofstream(dir_ / "in/begin") << "bytes";
  fs::resize_file(dir_ / "in/begin", uint64_t{4} << 40);
  std::ofstream(dir_ / "in/empty");
  fs::resize_file(dir_ / "in/empty", uint64_t{1} << 40);
  {
    std::ofstream middle(dir_ / "in/middle");
    middle.seekp(1 << 24);
    middle << "bytes";
  }
  const auto held = ValueOrThrow(HeldDirectory::Open(dir_ / "in"));
  ASSERT_TRUE(PackDirectory(held, dir_ / "a.tar.gz", {.bytes = 1 << 20}));
  EXPECT_LT(fs::file_size(dir_ / "a.tar.gz"), 1 << 16);
  ValueOrThrow(UnpackArchive(dir_ / "a.tar.gz", dir_ / "out", {.total_bytes = uint64_t{8} << 40, .ratio = UINT64_MAX}));
  EXPECT_EQ(fs::file_size(dir_ / "out/begin"), uint64_t{4} << 40);
  EXPECT_EQ(fs::file_size(dir_ / "out/empty"), uint64_t{1} << 40);
  EXPECT_EQ(ReadFile(dir_ / "out/middle").value(), std::string(1 << 24, '\0') + "bytes");
  struct stat status {};
  ASSERT_EQ(::stat((dir_ / "out/begin").c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
}

TEST_F(ArchiveTest, PackingIsBoundedAndCanBeStopped) {
  fs::create_directories(dir_ / "in");
  std::ofstream(dir_ / "in/file") << std::string(1 << 20, 'x');
  const auto held = ValueOrThrow(HeldDirectory::Open(dir_ / "in"));
  const auto packed = PackDirectory(held, dir_ / "a.tar.gz", {.bytes = 1 << 19});
  EXPECT_THAT(packed.error().message(), HasSubstr("more than 524288 bytes to pack (VolumeSizeInGB)"));
  int asked = 0;
  EXPECT_EQ(PackDirectory(held, dir_ / "a.tar.gz", {.cancelled = [&] { return ++asked > 1; }}).error().code(),
            ErrorCode::kUnavailable);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), {}), 1) << "nothing unfinished is left";
}

TEST_F(ArchiveTest, PacksATreeOfAnyDepth) {
  fs::create_directories(dir_ / "in");
  Descriptor at(::open((dir_ / "in").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string name(200, 'd');
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
    at = Descriptor(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  const Descriptor file(::openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  EXPECT_TRUE(PackDirectory(dir_ / "in", dir_ / "a.tar.gz"));
  ASSERT_TRUE(RemoveTree(dir_ / "in"));
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
}

}  // namespace
}  // namespace headrace::jobs
