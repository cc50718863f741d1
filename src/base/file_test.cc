#include "base/file.h"

#include <filesystem>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace headrace
