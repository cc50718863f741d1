#include "apps/comparison/compared_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/comparison/curve_range.h"
#include "apps/comparison/curves_picture.h"
#include "apps/comparison/curves_text.h"

namespace headrace::apps::comparison {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Json Described(const std::string& name) {
  return {{"TrainingJobName", name},
          {"TrainingJobStatus", "Completed"},
          {"CreationTime", 1000.5},
          {"BillableTimeInSeconds", 90},
          {"HyperParameters", {{"batch-size", "256"}, {"epochs", "2"}}},
          {"ResourceConfig", {{"InstanceType", "ml.m5.large"}, {"InstanceCount", 2}}},
          {"FinalMetricDataList", {{{"MetricName", "train:loss"}, {"Value", 0.5}, {"Timestamp", 1090}}}}};
}

TrainingProgress TwoEpochs() {
  TrainingProgress progress;
  progress.Feed(1'002'000, "Epoch 1/2");
  progress.Feed(1'005'000, "25/25 [====] - 3s 100ms/step - loss: 1");
  progress.Feed(1'005'000, "Epoch 2/2");
  progress.Feed(1'006'000, "25/25 [====] - 1s 60ms/step - loss: 1");
  return progress;
}

InstancePrices Prices(const std::string& text) { return ValueOrThrow(InstancePrices::Parse(text)); }

TEST(ComparedJob, FiguresAndWhereTheyComeFrom) {
  const ComparedJob job = CompareJob(Described("a"), TwoEpochs(), {}, Prices("ml.m5.large=0.2"), {});
  EXPECT_EQ(job.instances, "2 x ml.m5.large");
  EXPECT_DOUBLE_EQ(*job.first_step.value, 1.5);
  EXPECT_THAT(job.epochs, ElementsAre(3, 1));
  EXPECT_DOUBLE_EQ(*job.epoch.value, 2);
  EXPECT_DOUBLE_EQ(*job.images_per_second.value, 256 / 0.08);
  EXPECT_EQ(job.images_per_second.source, "log: Keras's time a step; hyperparameter batch-size x 1 rank");
  EXPECT_DOUBLE_EQ(*job.billable.value, 180);
  EXPECT_DOUBLE_EQ(*job.cost.value, 2 * 0.2 * 90 / 3600);
}

TEST(ComparedJob, RanksOfMpiTrainOneModelTogether) {
  Json described = Described("a");
  described["HyperParameters"]["sagemaker_mpi_enabled"] = "true";
  described["HyperParameters"]["sagemaker_mpi_num_of_processes_per_host"] = "2";
  described["HyperParameters"]["batch-size"] = "\"128\"";
  const ComparedJob job = CompareJob(described, TwoEpochs(), {}, {}, {});
  EXPECT_DOUBLE_EQ(*job.images_per_second.value, 128 * 4 / 0.08);
  EXPECT_THAT(job.images_per_second.source, HasSubstr("x 4 ranks"));
}

TEST(ComparedJob, WithoutALogMetricsTell) {
  const std::vector<Curve> curves = {{"loss", {3, 4}, {2, 1}}, {"sec/steps", {2.5, 5}, {40, 60}}};
  Json described = Described("a");
  described.erase("HyperParameters");
  const ComparedJob job = CompareJob(described, {}, curves, {}, 32);
  EXPECT_DOUBLE_EQ(*job.first_step.value, 2.5);
  EXPECT_EQ(job.first_step.source, "metric: the first sec/steps");
  EXPECT_DOUBLE_EQ(*job.images_per_second.value, 32 / 0.05);
  EXPECT_EQ(job.images_per_second.source, "metric: sec/steps, in milliseconds; --batch-size x 1 rank");
  EXPECT_EQ(CompareJob(described, {}, curves, {}, {}).images_per_second.value, std::nullopt);
}

TEST(ComparedJob, WhatIsMissingSaysWhy) {
  Json described = Described("a");
  described.erase("BillableTimeInSeconds");
  ComparedJob job = CompareJob(described, {}, {}, {}, {});
  EXPECT_EQ(job.first_step.value, std::nullopt);
  EXPECT_EQ(job.first_step.source, "neither a line \"Epoch …\" in the log nor a metric");
  EXPECT_EQ(job.epoch.source, "no epoch has ended in the log");
  EXPECT_EQ(job.billable.source, "the job has not ended, or has never started");
  EXPECT_EQ(job.cost.source, "no price: the setting instance-prices is empty");
  job = CompareJob(Described("a"), {}, {}, Prices("ml.m5.xlarge=1"), {});
  EXPECT_EQ(job.cost.source, "no price of ml.m5.large in instance-prices");
}

TEST(ComparedJob, InstanceGroupsAddUp) {
  Json described = Described("a");
  described["ResourceConfig"] = {
      {"InstanceGroups",
       {{{"InstanceType", "ml.m5.large"}, {"InstanceCount", 1}, {"InstanceGroupName", "a"}},
        {{"InstanceType", "ml.c5.large"}, {"InstanceCount", 3}, {"InstanceGroupName", "b"}}}}};
  const ComparedJob job = CompareJob(described, {}, {}, Prices("ml.m5.large=1,ml.c5.large=2"), {});
  EXPECT_EQ(job.instances, "1 x ml.m5.large + 3 x ml.c5.large");
  EXPECT_DOUBLE_EQ(*job.billable.value, 360);
  EXPECT_DOUBLE_EQ(*job.cost.value, 7 * 90.0 / 3600);
}

TEST(ComparedJob, TextHasAColumnAJobAndTheSources) {
  const std::string text =
      ToText({CompareJob(Described("first"), TwoEpochs(), {}, {}, {}), CompareJob(Described("b"), {}, {}, {}, {})});
  EXPECT_THAT(text, StartsWith("                                 first                b\n"
                               "status                       Completed        Completed\n"
                               "instances              2 x ml.m5.large  2 x ml.m5.large\n"));
  EXPECT_THAT(text, HasSubstr("\nimages/s                          3200                -\n"));
  EXPECT_THAT(text, HasSubstr("\nlast train:loss                    0.5              0.5\n"));
  EXPECT_THAT(text, HasSubstr("\n  billable seconds: BillableTimeInSeconds x instances\n"));
  EXPECT_THAT(text, HasSubstr("\n  time an epoch, s: no epoch has ended in the log (b)\n"));
}

TEST(ComparedJob, JsonHasNullAndTheReasonForWhatIsMissing) {
  const Json json = ToJson({CompareJob(Described("a"), {}, {{"loss", {3, 4}, {2, 1}}}, {}, {})});
  EXPECT_EQ(json["jobs"][0]["name"], "a");
  EXPECT_TRUE(json["jobs"][0]["epoch_seconds"].is_null());
  EXPECT_EQ(json["jobs"][0]["epoch_seconds_source"], "no epoch has ended in the log");
  EXPECT_EQ(json["jobs"][0]["billable_seconds"], 180);
  EXPECT_EQ(json["jobs"][0]["final_metrics"], Json({{"train:loss", 0.5}}));
  EXPECT_EQ(json["curves"], Json::array({{{"metric", "loss"}, {"job", "a"}, {"seconds", {3, 4}}, {"values", {2, 1}}}}));
}

TEST(InstancePrices, AreReadOrRefusedByTheirEntry) {
  const InstancePrices prices = Prices(" ml.m5.large = 0.115, ml.c5.xlarge=0.2,");
  EXPECT_EQ(prices.PerHour("ml.c5.xlarge"), 0.2);
  EXPECT_EQ(prices.PerHour("ml.p3.2xlarge"), std::nullopt);
  EXPECT_TRUE(Prices("").empty());
  for (const char* wrong :
       {"ml.m5.large", "ml.m5.large=", "=1", "ml.m5.large=-1", "ml.m5.large=nan", "ml.m5.large=1 USD", "a=1,a=2"}) {
    const auto refused = InstancePrices::Parse(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message(), StartsWith("instance-prices: "));
  }
}

TEST(CurveRange, NeverLosesItsWidthAndItsMarksAreFew) {
  EXPECT_THAT(RoundMarks({0, 10}, 6), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(
      RoundMarks({0.09, 0.31}, 6),
      ElementsAre(testing::DoubleNear(0.1, 1e-12), testing::DoubleNear(0.15, 1e-12), testing::DoubleNear(0.2, 1e-12),
                  testing::DoubleNear(0.25, 1e-12), testing::DoubleNear(0.3, 1e-12)));
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::vector<double>> hostile = {{},
                                                    {5},
                                                    {0},
                                                    {1e17, 1e17 + 16},
                                                    {-1e308, 1e308},
                                                    {infinity, -infinity, std::nan("")},
                                                    {1e-310, 2e-310},
                                                    {-1e300, 1e300}};
  for (const auto& values : hostile) {
    std::vector<ComparedJob> jobs(1);
    jobs[0].name = "a";
    jobs[0].curves = {{"m", std::vector<double>(values.size(), 1.0), values}};
    const CurveRange range = RangeOf(jobs, "m");
    EXPECT_LT(range.values.low, range.values.high);
    EXPECT_TRUE(std::isfinite(range.values.high - range.values.low));
    EXPECT_LE(RoundMarks(range.values, 6).size(), 6u);
    EXPECT_THAT(CurvesAsText(jobs, 80), HasSubstr("m\n"));
    EXPECT_THAT(DrawSvg(jobs), HasSubstr("</svg>"));
  }
}

TEST(Curves, AreChartsSideBySide) {
  std::vector<ComparedJob> jobs(2);
  jobs[0].name = "a-job-with-a-name-that-is-longer-than-its-chart";
  jobs[0].curves = {{"loss", {0, 10}, {2, 0}}};
  jobs[1].name = "b";
  EXPECT_EQ(CurvesAsText(jobs, 30),
            "loss\n"
            "   a-job..chart  b\n"
            "2 |⠑⢄⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀ |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "  |⠀⠀⠑⢄⠀⠀⠀⠀⠀⠀⠀⠀ |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "  |⠀⠀⠀⠀⠑⢄⠀⠀⠀⠀⠀⠀ |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "  |⠀⠀⠀⠀⠀⠀⠑⢄⠀⠀⠀⠀ |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "  |⠀⠀⠀⠀⠀⠀⠀⠀⠑⢄⠀⠀ |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "0 |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠑⢄ |⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "   0       10 s  0       10 s\n");
  EXPECT_THAT(CurvesAsText({ComparedJob{}}, 80), IsEmpty());
  EXPECT_THAT(DrawPng(jobs), StartsWith("\x89PNG\r\n"));
  EXPECT_THAT(DrawSvg({ComparedJob{}}), HasSubstr("</svg>"));
}

}  // namespace
}  // namespace headrace::apps::comparison
