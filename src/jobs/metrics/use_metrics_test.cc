#include "jobs/metrics/use_metrics.h"

#include <gmock/gmock.h>

namespace headrace::jobs {
namespace {

TEST(UseMetrics, HaveSageMakersNames) {
  std::vector<store::MetricDatum> data;
  AddUseMetrics({"1", "/aws/sagemaker/Endpoints", "", {{"EndpointName", "e"}}}, 1000, {150, 20, 3}, data);
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data[0].key.name, "CPUUtilization");
  EXPECT_EQ(data[0].sample, store::MetricSample::Of(1000, 150, "Percent"));
  EXPECT_EQ(data[1].key.name, "MemoryUtilization");
  EXPECT_EQ(data[1].sample.sum, 20);
  EXPECT_EQ(data[2].key.name, "DiskUtilization");
  EXPECT_EQ(data[2].sample.sum, 3);
  EXPECT_EQ(data[2].key.dimensions.at("EndpointName"), "e");
}

TEST(UseMetrics, SayNothingOfADiskThatWasNotLookedAt) {
  std::vector<store::MetricDatum> data;
  AddUseMetrics({"1", "/aws/sagemaker/TransformJobs", "", {{"Host", "j/i-1"}}}, 1000, {150, 20, {}}, data);
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[0].key.name, "CPUUtilization");
  EXPECT_EQ(data[1].key.name, "MemoryUtilization");
}

}  // namespace
}  // namespace headrace::jobs
