#include "base/beneath.h"

#include <climits>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

// A directory "held" that a stranger may write to, beside a directory "outside" that is not the stranger's.
class BeneathTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(Path("held/sub"));
    fs::create_directories(Path("outside/deeper"));
    std::ofstream(Path("outside/secret")) << "secret";
    std::ofstream(Path("outside/deeper/secret")) << "secret";
    std::ofstream(Path("held/file")) << "words";
  }
  void TearDown() override {
    EXPECT_EQ(*ReadFile(Path("outside/secret")), "secret");
    EXPECT_EQ(*ReadFile(Path("outside/deeper/secret")), "secret");
    EXPECT_EQ(std::distance(fs::directory_iterator(Path("outside")), {}), 2);
    [[maybe_unused]] const auto removed = RemoveTree(Path("held"));
  }
  std::string Path(const std::string& name) const { return directory_ / name; }
  HeldDirectory Held() const { return ValueOrThrow(HeldDirectory::Open(Path("held"))); }

  // Directories below each other, deeper than a path can say and than descriptors are held, with a file in each.
  void MakeDeep(int depth) const {
    Descriptor at(::open(Path("held").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < depth; ++i) {
      ASSERT_EQ(::mkdirat(at.get(), kDeep.c_str(), 0755), 0);
      const Descriptor file(::openat(at.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      at = Descriptor(::openat(at.get(), kDeep.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
  }

  const std::string kDeep = std::string(100, 'd');
  TemporaryDirectory directory_;
};

TEST_F(BeneathTest, NamesThatAreSafe) {
  for (const char* safe : {"a", "a/b", "..a", "a..", "...", "a b", ".hidden"})
    EXPECT_TRUE(IsSafeRelativePath(safe)) << safe;
  for (const char* unsafe : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a/../b"})
    EXPECT_FALSE(IsSafeRelativePath(unsafe)) << unsafe;
  EXPECT_FALSE(IsSafeRelativePath(std::string("a\0b", 3)));
  EXPECT_FALSE(IsSafeRelativePath(std::string(256, 'a')));
}

TEST_F(BeneathTest, WritesReadsAndLists) {
  const auto held = Held();
  ASSERT_TRUE(held.MakeDirectories("x/y/z"));
  ASSERT_TRUE(held.Write("x/y/z/name", "bytes"));
  EXPECT_EQ(*held.Read("x/y/z/name", 5), "bytes");
  EXPECT_EQ(held.Read("x/y/z/name", 4).error().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(held.Read("none", 4).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(*held.List(), (std::vector<std::string>{"file", "sub", "x"}));
  EXPECT_EQ(held.List(2).error().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(S_ISDIR(held.Examine("x")->st_mode));
}

TEST_F(BeneathTest, NoNameLeadsOut) {
  fs::create_symlink(Path("outside"), Path("held/link"));
  fs::create_symlink("../outside/secret", Path("held/sub/secret"));
  const auto held = Held();
  for (const char* name :
       {"link/secret", "sub/secret", "../outside/secret", "/etc/passwd", "sub/../../outside/secret"}) {
    EXPECT_EQ(held.OpenFile(name).error().code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_FALSE(held.OpenDirectory(name)) << name;
    EXPECT_FALSE(held.MakeDirectories(name)) << name;
  }
  EXPECT_FALSE(held.OpenDirectory("link"));
  EXPECT_FALSE(held.MakeDirectories("link/new"));
  EXPECT_FALSE(held.Write("link/new", "bytes"));
  EXPECT_FALSE(held.Write("link/secret", "bytes"));
  EXPECT_FALSE(held.Remove("link/secret"));
}

TEST_F(BeneathTest, WritingReplacesLinksAndFifos) {
  fs::create_symlink(Path("outside/secret"), Path("held/a"));
  ASSERT_EQ(::mkfifo(Path("held/b").c_str(), 0644), 0);
  fs::create_hard_link(Path("held/file"), Path("held/c"));
  const auto held = Held();
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(held.Write(name, "new")) << name;
    EXPECT_EQ(*held.Read(name, 100), "new");
  }
  EXPECT_EQ(*held.Read("file", 100), "words");
}

TEST_F(BeneathTest, AFifoIsNoFileAndBlocksNothing) {
  ASSERT_EQ(::mkfifo(Path("held/fifo").c_str(), 0644), 0);
  EXPECT_EQ(Held().OpenFile("fifo").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Held().OpenFile("sub").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Held().Read("fifo", 10).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(BeneathTest, WalksInOrderAndEntersNoLink) {
  fs::create_symlink(Path("outside"), Path("held/link"));
  std::ofstream(Path("held/sub/b"));
  std::ofstream(Path("held/sub/a"));
  std::vector<std::string> seen;
  ASSERT_TRUE(Held().Walk([&](const FoundEntry& found) -> Status {
    seen.push_back(found.path);
    return {};
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"file", "link", "sub", "sub/a", "sub/b"}));
  const auto nothing = [](const FoundEntry&) -> Status { return {}; };
  const auto too_many = Held().Walk(nothing, {.entries = 4});
  EXPECT_EQ(too_many.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(too_many.error().message().find("more than 4 files and directories"), std::string::npos);
  EXPECT_EQ(Held().Walk(nothing, {.cancelled = [] { return true; }}).error().code(), ErrorCode::kUnavailable);
}

TEST_F(BeneathTest, AWalkWhoseDirectoryIsMovedAwayStaysInside) {
  MakeDeep(100);
  const auto walked = Held().Walk([&](const FoundEntry& found) -> Status {
    if (found.depth != 99 || found.name != kDeep) return {};
    // What the walk stands in goes to another place: its ".." is not where the walk came from.
    EXPECT_EQ(::renameat(found.directory, ("../../" + kDeep).c_str(), AT_FDCWD, Path("outside/moved").c_str()), 0);
    return {};
  });
  EXPECT_EQ(walked.error().code(), ErrorCode::kUnavailable);
  ASSERT_TRUE(RemoveTree(Path("outside/moved")));
}

TEST_F(BeneathTest, CopiesFilesAndHolesButNoLinks) {
  fs::create_symlink(Path("outside/secret"), Path("held/link"));
  ASSERT_EQ(::mkfifo(Path("held/fifo").c_str(), 0644), 0);
  std::ofstream(Path("held/sub/sparse")) << "begin";
  fs::resize_file(Path("held/sub/sparse"), uint64_t{1} << 40);
  const auto target = HeldDirectory::Make(Path("copy"));
  ASSERT_TRUE(target);
  ASSERT_TRUE(Held().CopyTo(*target, {.bytes = 1 << 20}));
  EXPECT_EQ(*target->Read("file", 100), "words");
  EXPECT_EQ(*target->List(), (std::vector<std::string>{"file", "sub"}));
  const auto status = target->Examine("sub/sparse");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->st_size, off_t{1} << 40);
  EXPECT_LT(status->st_blocks * 512, 1 << 20);
  EXPECT_EQ(Held().CopyTo(*target, {.bytes = 4}).error().code(), ErrorCode::kResourceExhausted);
}

TEST_F(BeneathTest, CopyingOverALinkReplacesIt) {
  fs::create_directories(Path("copy"));
  fs::create_symlink(Path("outside/secret"), Path("copy/file"));
  const auto target = HeldDirectory::Open(Path("copy"));
  ASSERT_TRUE(Held().CopyTo(*target));
  EXPECT_EQ(*target->Read("file", 100), "words");
  fs::remove_all(Path("copy/sub"));
  fs::create_directory_symlink(Path("outside"), Path("copy/sub"));
  std::ofstream(Path("held/sub/new"));
  EXPECT_FALSE(Held().CopyTo(*target));
}

TEST_F(BeneathTest, TreesOfAnyDepthAreWalkedCopiedAndRemoved) {
  constexpr int kDepth = 150;
  MakeDeep(kDepth);
  int found = 0;
  ASSERT_TRUE(Held().Walk([&](const FoundEntry&) -> Status {
    ++found;
    return {};
  }));
  EXPECT_EQ(found, 2 * kDepth + 2);
  const auto target = HeldDirectory::Make(Path("copy"));
  ASSERT_TRUE(Held().CopyTo(*target));
  std::string deep;
  for (int i = 0; i < kDepth - 1; ++i) deep += kDeep + "/";
  EXPECT_GT(deep.size(), size_t{PATH_MAX});
  EXPECT_TRUE(target->OpenFile(deep + "f"));
  ASSERT_TRUE(target->MakeDirectories(deep + kDeep + "/more"));
  ASSERT_TRUE(RemoveTree(Path("copy")));
  EXPECT_FALSE(fs::exists(Path("copy")));
  ASSERT_TRUE(Held().RemoveContents());
  EXPECT_TRUE(fs::is_empty(Path("held")));
}

TEST_F(BeneathTest, RemovesLinksThemselvesAndWhatHasNoPermissions) {
  fs::create_symlink(Path("outside"), Path("held/link"));
  fs::create_symlink(Path("outside"), Path("held/sub/link"));
  fs::create_directories(Path("held/closed/inner"));
  std::ofstream(Path("held/closed/inner/file"));
  fs::permissions(Path("held/closed/inner"), fs::perms::none);
  fs::permissions(Path("held/closed"), fs::perms::owner_read);
  ASSERT_TRUE(Held().Remove("closed"));
  ASSERT_TRUE(Held().Remove("link"));
  ASSERT_TRUE(Held().Remove("none/at/all"));
  EXPECT_EQ(*Held().List(), (std::vector<std::string>{"file", "sub"}));
  ASSERT_TRUE(RemoveTree(Path("held")));
  EXPECT_FALSE(fs::exists(Path("held")));
  ASSERT_TRUE(RemoveTree(Path("held")));
}

}  // namespace
}  // namespace headrace
