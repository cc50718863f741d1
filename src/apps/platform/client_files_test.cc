#include "apps/platform/client_files.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

mode_t ModeOf(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

TEST(ClientFilesTest, EverybodyReadsThem) {
  const TemporaryDirectory root;
  const std::string directory = root / "clients";
  const mode_t before = ::umask(0077);  // the service's
  const auto first = PublishFiles(directory, {{"aws/sts/1/rules.json", "old"}, {"aws/sdk.yaml", "a"}});
  const auto second = PublishFiles(directory, {{"aws/sts/1/rules.json", "new"}});
  ::umask(before);
  ValueOrThrow(first);
  ValueOrThrow(second);
  for (const char* name : {"", "/aws", "/aws/sts", "/aws/sts/1"}) EXPECT_EQ(ModeOf(directory + name), 0755U) << name;
  EXPECT_EQ(ModeOf(directory + "/aws/sts/1/rules.json"), 0644U);
  EXPECT_EQ(ValueOrThrow(ReadFile(directory + "/aws/sts/1/rules.json")), "new");
  EXPECT_EQ(ValueOrThrow(ReadFile(directory + "/aws/sdk.yaml")), "a");
}

TEST(ClientFilesTest, NoneWhereOthersMayWrite) {
  const TemporaryDirectory root;
  const std::string open = root / "open", link = root / "link";
  std::filesystem::create_directory(open);
  ASSERT_EQ(::chmod(open.c_str(), 0777), 0);
  std::filesystem::create_symlink(root.path(), link);
  for (const auto& directory : {open, link}) {
    const auto published = PublishFiles(directory, {{"a", "b"}});
    ASSERT_FALSE(published) << directory;
    EXPECT_THAT(published.error().message(), testing::HasSubstr("--client-files: " + directory));
  }
  EXPECT_FALSE(std::filesystem::exists(open + "/a"));
}

}  // namespace
}  // namespace headrace::apps
