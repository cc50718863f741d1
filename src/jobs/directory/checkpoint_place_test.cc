#include "jobs/directory/checkpoint_place.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

std::string Place(const char* path) {
  const auto place = PlaceOfCheckpoints(path);
  return place ? place->below_host + (place->mounted ? " mounted" : "") : "refused";
}

TEST(CheckpointPlaceTest, LiesWhereTheJobWritesAnyway) {
  EXPECT_EQ(Place(""), "ml/checkpoints");
  EXPECT_EQ(Place("/opt/ml/checkpoints"), "ml/checkpoints");
  EXPECT_EQ(Place("/opt/ml/checkpoints/"), "ml/checkpoints");
  EXPECT_EQ(Place("/opt/ml/model/ckpt"), "ml/model/ckpt");
  EXPECT_EQ(Place("/tmp/ckpt"), "tmp/ckpt");
  EXPECT_EQ(Place("/root/mine/ckpt/"), "home/mine/ckpt");
}

TEST(CheckpointPlaceTest, ElsewhereItIsAMountOfItsOwn) {
  EXPECT_EQ(Place("/checkpoints"), "checkpoints mounted");
  EXPECT_EQ(Place("/home/me/ckpt"), "checkpoints mounted");
  EXPECT_EQ(Place("/opt/checkpoints"), "checkpoints mounted");
}

TEST(CheckpointPlaceTest, NeverCoversTheSystemNorLeavesItsDirectory) {
  for (const char* path : {"/",
                           "//",
                           "relative",
                           "/opt",
                           "/opt/",
                           "/opt/ml",
                           "/opt/ml/",
                           "/opt/mlx",
                           "/opt/headrace/tools",
                           "/tmp",
                           "/root/",
                           "/etc/ssl",
                           "/usr/lib/x",
                           "/proc/1",
                           "/dev/shm/x",
                           "/run/x",
                           "/var/tmp/x",
                           "/opt/ml/../x",
                           "/opt/ml/a/../../..",
                           "/opt/ml/./x",
                           "/opt/ml//x",
                           "/x/../oldroot",
                           "/opt/ml/x//"})
    EXPECT_EQ(Place(path), "refused") << path;
}

}  // namespace
}  // namespace headrace::jobs
