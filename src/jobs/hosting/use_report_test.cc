#include "jobs/hosting/use_report.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"
#include "jobs/metrics/use_metrics.h"

namespace headrace::jobs {
namespace {

using testing::ElementsAre;

class UseReportTest : public testing::Test {
 protected:
  static void Add(const Generation::Use& use, UnixMillis now, std::vector<store::MetricDatum>& data) {
    AddUseMetrics({"1", "/aws/sagemaker/TransformJobs", "", {{"Host", use.variant + "/" + use.instance}}}, now, use.use,
                  data);
  }
  // The times at which `name` was sampled on `host`.
  std::vector<UnixMillis> Times(const std::string& name, const std::string& host) {
    store::Metrics metrics(*database_);
    const auto series = ValueOrThrow(metrics.Find({"1", "/aws/sagemaker/TransformJobs", name, {{"Host", host}}}));
    std::vector<UnixMillis> times;
    if (series)
      ValueOrThrow(metrics.Read(series->id, 0, INT64_MAX,
                                [&](const store::MetricSample& sample) { times.push_back(sample.time); }));
    return times;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  UseReport report_{*database_, "transform job j", Add};
  int asked_ = 0;
  const UseReport::Sample sample_ = [this](UnixMillis) {
    ++asked_;
    return std::vector<Generation::Use>{{"j", "i-1", {150, 20, {}}}, {"j", "i-2", {50, 10, 3}}};
  };
};

TEST_F(UseReportTest, FiveSecondsAfterSomethingServesAndThenOnceAMinute) {
  EXPECT_EQ(report_.Step(1000, nullptr), 0);
  EXPECT_EQ(report_.Step(2000, sample_), 7000);
  EXPECT_EQ(report_.Step(6999, sample_), 7000);
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(report_.Step(7001, sample_), 67'001);
  EXPECT_EQ(report_.Step(30'000, sample_), 67'001);
  EXPECT_EQ(report_.Step(67'001, sample_), 127'001);
  EXPECT_EQ(asked_, 2);
  for (const char* host : {"j/i-1", "j/i-2"})
    for (const char* name : {"CPUUtilization", "MemoryUtilization"})
      EXPECT_THAT(Times(name, host), ElementsAre(7001, 67'001)) << name << " of " << host;
  EXPECT_THAT(Times("DiskUtilization", "j/i-1"), ElementsAre());
  EXPECT_THAT(Times("DiskUtilization", "j/i-2"), ElementsAre(7001, 67'001));
}

TEST_F(UseReportTest, BeginsAgainWhenNothingHasServedMeanwhile) {
  report_.Step(1000, sample_);
  EXPECT_EQ(report_.Step(6000, nullptr), 0);
  EXPECT_EQ(report_.Step(9000, sample_), 14'000);
  EXPECT_EQ(report_.Step(14'000, [](UnixMillis) { return std::vector<Generation::Use>(); }), 74'000);
  EXPECT_THAT(Times("CPUUtilization", "j/i-1"), ElementsAre());
}

}  // namespace
}  // namespace headrace::jobs
