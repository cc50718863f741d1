#include "horovod/shm/segment.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headrace::hvd {
namespace {

class SegmentTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  const std::string directory_ = testing::TempDir() + "segment-" + std::to_string(::getpid());
};

TEST_F(SegmentTest, BothSeeTheSameBytesAndTheNameGoes) {
  auto made = Segment::Create(directory_, 10000);
  ASSERT_TRUE(made.has_value()) << made.error().message();
  const auto name = SegmentName::FromText(made->name().ToText());
  ASSERT_TRUE(name.has_value());
  struct stat status {};
  ASSERT_EQ(::stat(name->path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto opened = Segment::Open(*name);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  made->Unlink();
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
  made->data()[9999] = std::byte{7};
  EXPECT_EQ(opened->data()[9999], std::byte{7});
  EXPECT_EQ(opened->data()[0], std::byte{0});
}

TEST_F(SegmentTest, AnotherFileOfTheNameIsRefused) {
  auto made = Segment::Create(directory_, 4096);
  ASSERT_TRUE(made.has_value());
  SegmentName other = made->name();
  other.token = std::string(32, '0');
  EXPECT_EQ(Segment::Open(other).error().code(), ErrorCode::kNotFound);
  other = made->name();
  other.bytes += 1;
  EXPECT_EQ(Segment::Open(other).error().code(), ErrorCode::kNotFound);
  std::filesystem::create_symlink(made->name().path, directory_ + "/link");
  other = made->name();
  other.path = directory_ + "/link";
  EXPECT_EQ(Segment::Open(other).error().code(), ErrorCode::kNotFound);
}

TEST_F(SegmentTest, WithoutRoomItIsAnErrorAndLeavesNothing) {
  const auto made = Segment::Create(directory_, size_t{1} << 45);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(SegmentTest, NamesThatAreNoneAreRefused) {
  for (const char* text :
       {"", "x", "0123 4 /path", "00000000000000000000000000000000 12 relative",
        "00000000000000000000000000000000 0 /path", "00000000000000000000000000000000 99999999999999999999 /p"})
    EXPECT_FALSE(SegmentName::FromText(text).has_value()) << text;
}

TEST_F(SegmentTest, TheMarkOfAProcessGoesWithIt) {
  auto made = Segment::Create(directory_, 4096);
  ASSERT_TRUE(made.has_value());
  int ready[2], leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto opened = Segment::Open(made->name());
    char byte = opened.has_value() && opened->Mark(3).has_value() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(leave[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_TRUE(made->IsMarked(3));
  EXPECT_FALSE(made->IsMarked(2));
  ASSERT_EQ(::write(leave[1], &byte, 1), 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(made->IsMarked(3));
  for (const int end : {ready[0], ready[1], leave[0], leave[1]}) ::close(end);
}

}  // namespace
}  // namespace headrace::hvd
