#include "jobs/runtime/compiler_reads.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/runtime/program_cache.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST(DepfileTest, NamesBehindTheColon) {
  EXPECT_THAT(ParseDepfile("out/program: p.cpp \\\n  sub/v.h \\\n /usr/include/a\\ b.h\n\nsub/v.h:\n"),
              ElementsAre("p.cpp", "sub/v.h", "/usr/include/a b.h"));
  EXPECT_THAT(ParseDepfile("a.o: x$$y.h z\\#.h\nb.o : c.h"), ElementsAre("x$y.h", "z#.h", "c.h"));
  EXPECT_TRUE(ParseDepfile("").empty());
  EXPECT_TRUE(ParseDepfile("no colon at all").empty());
}

class CompilerReadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* directory : {"build/sub", "source", "elsewhere"}) fs::create_directories(dir_ / directory);
    std::ofstream(dir_ / "source/a.h") << "one";
    std::ofstream(dir_ / "elsewhere/b.h") << "two";
    ::usleep(20'000);  // file systems count time in ticks
  }
  std::string Text(const std::vector<std::string>& elsewhere, const std::vector<std::string>& trusted) {
    CompilerReads reads(elsewhere);
    std::ofstream(dir_ / "build/sub/x.d") << "x: a.h ../elsewhere/b.h /dev/zero ../source/none.h\n";
    EXPECT_TRUE(reads.Take(ValueOrThrow(HeldDirectory::Open(dir_ / "build")), dir_ / "source", trusted));
    return reads.ToText();
  }
  TemporaryDirectory dir_;
};

TEST_F(CompilerReadsTest, AChangedFileIsNoticedEvenWithItsOldTime) {
  fs::remove(dir_ / "source/none.h");
  CompilerReads reads({});
  std::ofstream(dir_ / "build/x.d") << "x: a.h ../elsewhere/b.h\n";
  ASSERT_TRUE(reads.Take(ValueOrThrow(HeldDirectory::Open(dir_ / "build")), dir_ / "source", {"/"}));
  const auto text = reads.ToText();
  EXPECT_THAT(text, HasSubstr("elsewhere/b.h"));
  EXPECT_TRUE(CompilerReads::Unchanged(text));
  const auto time = fs::last_write_time(dir_ / "source/a.h");
  std::ofstream(dir_ / "source/a.h") << "ONE";
  fs::last_write_time(dir_ / "source/a.h", time);
  EXPECT_FALSE(CompilerReads::Unchanged(text));
  std::ofstream(dir_ / "source/a.h") << "one";  // the same content again
  EXPECT_TRUE(CompilerReads::Unchanged(text));
  fs::remove(dir_ / "elsewhere/b.h");
  EXPECT_FALSE(CompilerReads::Unchanged(text));
}

TEST_F(CompilerReadsTest, AStrangersDepfileOpensNoOtherFiles) {
  const auto text = Text({}, {dir_ / "source"});
  EXPECT_EQ(text.find("b.h"), std::string::npos);
  EXPECT_EQ(text.find("/dev/zero"), std::string::npos);
  EXPECT_EQ(Text({dir_ / "source"}, {"/"}).find("a.h"), std::string::npos);
}

TEST_F(CompilerReadsTest, AFileThatChangesWhileTheCompilerRunsIsNotKnown) {
  CompilerReads reads({});
  std::ofstream(dir_ / "source/a.h") << "three";
  std::ofstream(dir_ / "build/x.d") << "x: a.h\n";
  ASSERT_TRUE(reads.Take(ValueOrThrow(HeldDirectory::Open(dir_ / "build")), dir_ / "source", {"/"}));
  EXPECT_FALSE(CompilerReads::Unchanged(reads.ToText()));
}

TEST_F(CompilerReadsTest, WhatIsNoSuchTextIsNoProof) {
  for (const char* text :
       {"", "x", "headrace reads 1", "headrace reads 1\nabc\n", "headrace reads 1\na b /etc/passwd\n"})
    EXPECT_FALSE(CompilerReads::Unchanged(text)) << text;
  EXPECT_TRUE(CompilerReads::Unchanged("headrace reads 1\n"));
}

class ProgramCacheTest : public ::testing::Test {
 protected:
  std::string Cache() const { return dir_ / "cache"; }
  void Keep(const std::string& key, const std::string& bytes) const {
    const auto cache = ValueOrThrow(ProgramCache::Open(Cache()));
    const auto build = ValueOrThrow(cache.NewBuild(key));
    ValueOrThrow(build.Write("program", bytes));
    EXPECT_EQ(ValueOrThrow(cache.Keep(key, build, "headrace reads 1\n")), Cache() + "/programs/" + key + "/program");
    cache.RemoveBuild(key);
  }
  std::optional<std::string> Find(const std::string& key) const {
    return ValueOrThrow(ProgramCache::Open(Cache())).Find(key);
  }
  TemporaryDirectory dir_;
};

TEST_F(ProgramCacheTest, KeepsAndFinds) {
  EXPECT_FALSE(Find("key"));
  Keep("key", "program");
  const auto found = Find("key");
  ASSERT_TRUE(found);
  EXPECT_EQ(*ReadFile(*found), "program");
  EXPECT_EQ(::access(found->c_str(), X_OK), 0);
  EXPECT_FALSE(fs::exists(Cache() + "/programs/key.build"));
  fs::remove(Cache() + "/programs/key.reads");
  EXPECT_FALSE(Find("key"));
}

TEST_F(ProgramCacheTest, ACacheThatOthersMayWriteIsEmptied) {
  for (const char* loose : {"", "/programs"}) {
    Keep("key", "program");
    ASSERT_EQ(::chmod((Cache() + loose).c_str(), 0777), 0);
    EXPECT_FALSE(Find("key"));
    struct stat status {};
    ASSERT_EQ(::stat((Cache() + loose).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 022, 0U);
  }
}

TEST_F(ProgramCacheTest, ACacheOfAnotherUsersIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  Keep("key", "program");
  ASSERT_EQ(::chown((Cache() + "/programs").c_str(), 65534, 65534), 0);
  EXPECT_FALSE(Find("key"));
  ASSERT_EQ(::chown(Cache().c_str(), 65534, 65534), 0);
  EXPECT_THAT(ProgramCache::Open(Cache()).error().message(), HasSubstr("belongs to another user"));
}

TEST_F(ProgramCacheTest, TakesNoLinkForAProgram) {
  const auto cache = ValueOrThrow(ProgramCache::Open(Cache()));
  const auto build = ValueOrThrow(cache.NewBuild("key"));
  fs::create_symlink("/bin/sh", build.path() + "/program");
  EXPECT_FALSE(cache.Keep("key", build, "headrace reads 1\n"));
}

}  // namespace
}  // namespace headrace::jobs
