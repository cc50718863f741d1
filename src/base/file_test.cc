#include "base/file.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/temporary_directory.h"

namespace headrace {
namespace {

class FileTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_ / name; }
  TemporaryDirectory directory_;
};

TEST_F(FileTest, WritesAndReadsBack) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "hello"));
  EXPECT_EQ(*ReadFile(Path("a")), "hello");
}

TEST_F(FileTest, DroppedFileLeavesNothing) {
  {
    auto file = AtomicFile::Create(Path("b"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write("half"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(FileTest, TwoWritersOfOneFileDoNotDisturbEachOther) {
  auto first = ValueOrThrow(AtomicFile::Create(Path("c")));
  ASSERT_TRUE(first.Write("first "));
  {
    auto second = ValueOrThrow(AtomicFile::Create(Path("c")));
    ASSERT_TRUE(second.Write("second"));
  }
  ASSERT_TRUE(first.Write("writer"));
  ASSERT_TRUE(first.Commit());
  EXPECT_EQ(*ReadFile(Path("c")), "first writer");
}

TEST_F(FileTest, AFileThatIsNotWholeIsKnownByItsName) {
  const auto file = ValueOrThrow(AtomicFile::Create(Path("b.h5")));
  EXPECT_TRUE(IsUnfinishedFile(file.temporary_path()));
  EXPECT_FALSE(IsUnfinishedFile("b.h5"));
  EXPECT_FALSE(IsUnfinishedFile("b.h5.1234.tmp"));
}

TEST_F(FileTest, ErrorsNameThePath) {
  auto missing = ReadFile(Path("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message().find("missing"), std::string::npos);
}

TEST_F(FileTest, RefusesAboveTheLimit) {
  ASSERT_TRUE(WriteFileAtomically(Path("c"), "0123456789"));
  auto read = ReadFile(Path("c"), 9);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::kResourceExhausted);
}

TEST_F(FileTest, OrdinaryFilesOnly) {
  ASSERT_TRUE(WriteFileAtomically(Path("d"), "0123456789"));
  EXPECT_EQ(*ReadRegularFile(Path("d"), 10), "0123456789");
  EXPECT_EQ(ReadRegularFile(Path("d"), 9).error().code(), ErrorCode::kResourceExhausted);
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  for (const std::string& other : {Path("fifo"), directory_.path(), std::string("/dev/zero")}) {
    const auto read = ReadRegularFile(other, 10);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), ErrorCode::kFailedPrecondition) << read.error().message();
  }
  std::filesystem::create_symlink(Path("loop"), Path("loop"));
  EXPECT_FALSE(ReadRegularFile(Path("loop"), 10));
}

}  // namespace
}  // namespace headrace
