#include "api/console/curves.h"

#include "api/testing/service_test.h"
#include "store/meta/metrics.h"

namespace headrace::api::console {
namespace {

using aws::Json;
using testing::HasSubstr;

class CurvesTest : public ServiceTest {
 protected:
  CurvesTest() {
    service_.operations["GetMetricCurves"] = [this](const aws::Call& call, const Json& input) {
      return GetMetricCurves(*database_, call, input);
    };
  }
  // A value a second.
  void Put(const std::string& name, const std::vector<double>& values, const std::string& account = kAccount) {
    std::vector<store::MetricDatum> data;
    for (size_t i = 0; i < values.size(); ++i)
      data.push_back(
          {{account, "n", name, {}}, store::MetricSample::Of(kStart + 1000 * static_cast<int64_t>(i), values[i])});
    ASSERT_TRUE(store::Metrics(*database_).Put(data));
  }
  static Json Of(const std::string& name) { return {{"Namespace", "n"}, {"MetricName", name}}; }
  static constexpr double kSeconds = kStart / 1000;
};

TEST_F(CurvesTest, FewSamplesAreShownAsTheyAre) {
  Put("loss", {3, 1, 2});
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Columns", 3}});
  const Json& curve = reply["Curves"][0];
  EXPECT_EQ(curve["SampleCount"], 3);
  EXPECT_EQ(curve["Values"], Json({3, 1, 2}));
  EXPECT_EQ(curve["Times"], Json({kSeconds, kSeconds + 1, kSeconds + 2}));
  EXPECT_FALSE(curve.contains("Minimums"));
}

TEST_F(CurvesTest, OfManyEachColumnHasTheExtremesAndTheLast) {
  std::vector<double> values(1000, 1.0);
  values[137] = 99;  // one sample of a thousand
  values[862] = -99;
  Put("loss", values);
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Columns", 10}});
  const Json& curve = reply["Curves"][0];
  EXPECT_EQ(curve["SampleCount"], 1000);
  EXPECT_EQ(curve["Values"], Json(std::vector<double>(10, 1.0)));
  EXPECT_EQ(curve["Maximums"], Json({1, 99, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(curve["Minimums"], Json({1, 1, 1, 1, 1, 1, 1, 1, -99, 1}));
}

TEST_F(CurvesTest, AllCurvesHaveOneGrid) {
  Put("a", std::vector<double>(100, 1.0));
  Put("b", std::vector<double>(50, 2.0));
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("a"), Of("b")}}, {"Columns", 10}});
  EXPECT_EQ(reply["Curves"][0]["Values"].size(), 10u);
  EXPECT_EQ(reply["Curves"][1]["Values"].size(), 5u);  // it lies in half of the interval
  EXPECT_EQ(reply["StartTime"], kSeconds);
}

TEST_F(CurvesTest, AnIntervalShowsWhatLiesInIt) {
  Put("loss", {0, 1, 2, 3, 4, 5});
  const Json reply =
      Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"StartTime", kSeconds + 2}, {"EndTime", kSeconds + 4}});
  EXPECT_EQ(reply["Curves"][0]["Values"], Json({2, 3}));
}

TEST_F(CurvesTest, AnIntervalMayLieAnywhere) {
  Put("loss", {1, 2});
  for (const double at : {-8e15, -1.0, 0.0, 8e15}) {
    const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"StartTime", at}, {"EndTime", at}});
    EXPECT_EQ(reply["Curves"][0]["SampleCount"], 0) << at;
  }
  const Json all =
      Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"StartTime", 0}, {"EndTime", 8e15}, {"Columns", 4000}});
  EXPECT_EQ(all["Curves"][0]["SampleCount"], 2);
}

TEST_F(CurvesTest, OfWhatWasSummedUpTheMeanIsShown) {
  const std::vector<store::MetricDatum> data{{{kAccount, "n", "sum", {}}, {kStart, 4, 10, 1, 5}},
                                             {{kAccount, "n", "sum", {}}, {kStart + 1000, 0.5, 1, 2, 2}}};
  ASSERT_TRUE(store::Metrics(*database_).Put(data));
  EXPECT_EQ(Do("GetMetricCurves", {{"Curves", {Of("sum")}}})["Curves"][0]["Values"], Json({2.5, 2}));
}

TEST_F(CurvesTest, SmoothingSeesEverySampleHoweverFewAreDrawn) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 2);
  Put("loss", values);
  const Json all = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Columns", 100}, {"Smoothing", 0.9}});
  const Json few = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Columns", 10}, {"Smoothing", 0.9}});
  EXPECT_EQ(all["Curves"][0]["Smoothed"][99], few["Curves"][0]["Smoothed"][9]);
  EXPECT_NEAR(all["Curves"][0]["Smoothed"][1], (0.1 * 1) / (1 - 0.9 * 0.9), 1e-12);  // without a bias towards 0
}

TEST_F(CurvesTest, AnotherAccountSeesNothing) {
  Put("loss", {1, 2, 3});
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}}, kOther);
  EXPECT_EQ(reply["Curves"][0]["SampleCount"], 0);
  EXPECT_EQ(reply["Curves"][0]["Values"], Json::array());
}

TEST_F(CurvesTest, RefusesWhatItCannotDraw) {
  EXPECT_THAT(Refusal("GetMetricCurves", Json::object()), HasSubstr("Curves"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"Columns", 0}}), HasSubstr("wanted 1 to 4000"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"Smoothing", 1}}), HasSubstr("Smoothing"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"EndTime", 1e18}}), HasSubstr("EndTime"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {{{"Namespace", "n"}}}}}), HasSubstr("MetricName"));
}

}  // namespace
}  // namespace headrace::api::console
