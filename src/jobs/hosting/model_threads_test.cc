#include "jobs/hosting/model_threads.h"

#include <gmock/gmock.h>

namespace headrace::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelThreads Asked(const std::string& batch, const std::string& intra_op, int cores) {
  return ModelThreads::Of(
      {{"SAGEMAKER_TFS_NUM_BATCH_THREADS", batch}, {"SAGEMAKER_TFS_INTRA_OP_PARALLELISM", intra_op}}, cores);
}

TEST(ModelThreads, AreTheCoresWhenNothingIsAskedFor) {
  const auto threads = ModelThreads::Of({}, 4);
  EXPECT_THAT(threads.Arguments(), ElementsAre("--tensorflow_intra_op_parallelism=4"));
  EXPECT_EQ(threads.remark, "");
}

TEST(ModelThreads, AreWhatIsAskedForWithinTheCores) {
  const auto threads = Asked("2", "2", 4);
  EXPECT_THAT(threads.Arguments(), ElementsAre("--tensorflow_intra_op_parallelism=2", "--num_batch_threads=2"));
  EXPECT_EQ(threads.remark, "");
  EXPECT_THAT(Asked("4", "", 4).Arguments(),
              ElementsAre("--tensorflow_intra_op_parallelism=1", "--num_batch_threads=4"));
}

TEST(ModelThreads, AreNeverMoreThanTheCores) {
  for (const char* huge : {"48", "1024", "99999", "99999999999999999999"})
    for (const int cores : {1, 2, 4, 96}) {
      const auto threads = Asked(huge, huge, cores);
      EXPECT_LE(threads.batch * threads.intra_op, cores) << huge;
      EXPECT_GE(threads.intra_op, 1);
    }
  EXPECT_THAT(Asked("48", "48", 2).remark,
              HasSubstr("48 and SAGEMAKER_TFS_INTRA_OP_PARALLELISM 48 are more threads than the 2"));
}

TEST(ModelThreads, IgnoreWhatIsNoNumber) {
  for (const char* nothing : {"", "0", "-1", "x", "1e3", " 4"})
    EXPECT_EQ(Asked(nothing, nothing, 4).remark, "") << nothing;
}

}  // namespace
}  // namespace headrace::jobs
