#include "store/disk_room.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

TEST(DiskRoomTest, LeavesAPartOfTheDiskAlone) {
  const TemporaryDirectory directory;
  const DiskRoom room(directory.path());
  EXPECT_TRUE(room.Check());
  EXPECT_GE(room.LeftAlone(), uint64_t{4} << 20);
  EXPECT_LE(room.LeftAlone(), uint64_t{64} << 20);
}

TEST(DiskRoomTest, WhatDoesNotSayHowLargeItIsHasRoom) {
  EXPECT_TRUE(DiskRoom("/proc/self").Check());
  EXPECT_TRUE(DiskRoom("/nonexistent").Check());
}

}  // namespace
}  // namespace headrace::store
