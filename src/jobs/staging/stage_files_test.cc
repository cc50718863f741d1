#include "jobs/staging/stage_files.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;

class StageFilesTest : public ::testing::Test {
 protected:
  InputObject Object(const std::string& name, const std::string& bytes) {
    const auto blob = dir_ / ("blob" + std::to_string(++blobs_));
    std::ofstream(blob) << bytes;
    return {.blob = blob, .name = name, .key = "p/" + name, .size = bytes.size()};
  }
  Result<StagedTotals> Stage(const std::vector<InputObject>& objects) {
    return StageFiles(objects, ValueOrThrow(HeldDirectory::Make(dir_ / "out")),
                      {.threads = 3, .scratch = dir_ / "scratch"});
  }
  TemporaryDirectory dir_;
  int blobs_ = 0;
};

TEST_F(StageFilesTest, CopiesIntoDirectoriesAndKeepsWhatIsComplete) {
  const std::vector<InputObject> objects = {Object("a", "1"), Object("d/e/f", "22"),
                                            Object("d/g", std::string(3 << 20, 'x'))};
  const auto first = ValueOrThrow(Stage(objects));
  EXPECT_EQ(first.files, 3u);
  EXPECT_EQ(first.bytes, (3u << 20) + 3);
  EXPECT_EQ(first.kept, 0u);
  EXPECT_EQ(ReadFile(dir_ / "out/d/e/f").value(), "22");
  EXPECT_EQ(ReadFile(dir_ / "out/d/g").value().size(), 3u << 20);
  ::unlink((dir_ / "out/a").c_str());
  EXPECT_EQ(ValueOrThrow(Stage(objects)).kept, 2u);
  EXPECT_EQ(ReadFile(dir_ / "out/a").value(), "1");
}

TEST_F(StageFilesTest, RefusesNamesThatLeaveTheDirectory) {
  for (const char* name : {"../x", "/x", "a/../../x", "", "a//b", "."})
    EXPECT_FALSE(Stage({Object("ok", ""), {.blob = dir_ / "blob1", .name = name, .key = "k"}})) << name;
}

TEST_F(StageFilesTest, NamesTheObjectThatChangedOrIsGone) {
  auto changed = Object("x", "123");
  changed.size = 4;
  EXPECT_THAT(Stage({changed}).error().message(), HasSubstr("the object p/x has 3 bytes, wanted 4"));
  auto gone = Object("y", "1");
  ::unlink(gone.blob.c_str());
  EXPECT_THAT(Stage({gone}).error().message(), HasSubstr("p/y was deleted or replaced"));
}

TEST_F(StageFilesTest, NamesObjectsThatCannotBothBeFiles) {
  const auto failure = Stage({Object("a/b", "1"), Object("a", "2")});
  ASSERT_FALSE(failure);
  EXPECT_THAT(failure.error().message(), HasSubstr("p/a"));
}

TEST_F(StageFilesTest, GivesUpWhenCancelled) {
  EXPECT_EQ(StageFiles({Object("a", "1")}, ValueOrThrow(HeldDirectory::Make(dir_ / "out")),
                       {.scratch = dir_ / "scratch", .cancelled = [] { return true; }})
                .error()
                .code(),
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace headrace::jobs
