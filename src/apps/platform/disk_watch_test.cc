#include "apps/platform/disk_watch.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

TEST(DiskWatchTest, KeepsAReserveWhileThereIsRoom) {
  const TemporaryDirectory directory;
  DiskWatch watch(directory.path(), {});
  watch.MakeRoomToStart();
  watch.Look();
  EXPECT_EQ(std::filesystem::file_size(directory / "reserve"), 1U << 20);
  std::filesystem::remove(directory / "reserve");
  watch.Look();
  EXPECT_TRUE(std::filesystem::exists(directory / "reserve"));
}

}  // namespace
}  // namespace headrace::apps
