#include "jobs/request/instance_types.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(InstanceTypes, KnowsFamiliesAndSizes) {
  EXPECT_EQ(SizeOfInstance("ml.m5.xlarge")->cpus, 4);
  EXPECT_EQ(SizeOfInstance("ml.m5.xlarge")->memory_bytes, uint64_t{16} << 30);
  EXPECT_EQ(SizeOfInstance("ml.c5.18xlarge")->cpus, 72);
  EXPECT_EQ(SizeOfInstance("ml.p3.2xlarge")->memory_bytes, uint64_t{61} << 30);
  EXPECT_EQ(SizeOfInstance("local")->cpus, 0);
}

TEST(InstanceTypes, RefusesOthers) {
  for (const char* name :
       {"", "m5.xlarge", "ml.m5", "ml.m5.", "ml.m5.0xlarge", "ml.m5.xlargex", "ml.zz.large", "ml.m5.999xlarge"})
    EXPECT_FALSE(SizeOfInstance(name)) << name;
}

}  // namespace
}  // namespace headrace::jobs
