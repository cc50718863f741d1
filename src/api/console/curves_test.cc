#include "api/console/curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

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
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}});
  const Json& curve = reply["Curves"][0];
  EXPECT_EQ(curve["MetricName"], "loss");
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
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Axis", "Step"}, {"From", 0}, {"Columns", 10}});
  const Json& curve = reply["Curves"][0];
  EXPECT_EQ(curve["SampleCount"], 1000);
  EXPECT_EQ(reply["Width"], 101);
  EXPECT_EQ(curve["Columns"], Json({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(curve["Values"], Json(std::vector<double>(10, 1.0)));
  EXPECT_EQ(curve["Maximums"], Json({1, 99, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(curve["Minimums"], Json({1, 1, 1, 1, 1, 1, 1, 1, -99, 1}));
}

// Against a loop over all samples: any times, any part of the axis, any number of columns.
TEST_F(CurvesTest, ColumnsAreWhatALoopOverAllSamplesFinds) {
  std::mt19937 random(1);
  std::vector<store::MetricDatum> data;
  for (int i = 0; i < 3000; ++i)
    data.push_back({{kAccount, "n", "loss", {}},
                    store::MetricSample::Of(kStart + static_cast<int64_t>(random() % 100'000), random() % 1000 / 8.0)});
  ASSERT_TRUE(store::Metrics(*database_).Put(data));
  std::stable_sort(data.begin(), data.end(),
                   [](const auto& a, const auto& b) { return a.sample.time < b.sample.time; });
  const double weight = 0.97;
  for (int round = 0; round < 60; ++round) {
    const bool by_step = round % 2 == 0;
    const int64_t unit = by_step ? 1 : 1000, all = by_step ? 3000 : 100'000;
    const int64_t columns = 1 + static_cast<int64_t>(random()) % 900;
    const int64_t from = static_cast<int64_t>(random()) % all, to = from + 1 + static_cast<int64_t>(random()) % all;
    Json one = Of("loss");
    one["Origin"] = kSeconds;
    const Json reply = Do("GetMetricCurves", {{"Curves", {one}},
                                              {"Axis", by_step ? "Step" : "Time"},
                                              {"From", static_cast<double>(from) / unit},
                                              {"To", static_cast<double>(to) / unit},
                                              {"Columns", columns},
                                              {"Smoothing", weight}});
    const double start = reply["Start"], width = reply["Width"];
    ASSERT_LE(start, static_cast<double>(from) / unit);
    ASSERT_LE(width, std::ceil(static_cast<double>(to - from) / columns) / unit);

    std::map<int64_t, std::vector<double>> wanted;  // by column: least, greatest, last, smoothed, time
    double sum = 0, weights = 0;
    int64_t samples = 0;
    for (size_t i = 0; i < data.size(); ++i) {
      const double value = data[i].sample.sum;
      sum = sum * weight + value;
      weights = weights * weight + 1;
      const UnixMillis time = data[i].sample.time;
      const int64_t x = by_step ? static_cast<int64_t>(i) + 1 : time - kStart;
      if (x < from || x >= to) continue;
      ++samples;
      auto& column = wanted[(x - std::llround(start * unit)) / std::llround(width * unit)];
      if (column.empty()) column = {value, value, 0, 0, 0};
      column = {std::min(column[0], value), std::max(column[1], value), value, sum / weights,
                static_cast<double>(time) / 1000};
    }
    const Json& curve = reply["Curves"][0];
    ASSERT_EQ(curve["SampleCount"], samples);
    ASSERT_EQ(curve["Columns"].size(), wanted.size());
    ASSERT_LE(wanted.size(), static_cast<size_t>(columns) + 1);
    size_t i = 0;
    for (const auto& [number, column] : wanted) {
      ASSERT_EQ(curve["Columns"][i], number);
      ASSERT_EQ(curve.contains("Minimums") ? curve["Minimums"][i] : curve["Values"][i], column[0]);
      ASSERT_EQ(curve.contains("Maximums") ? curve["Maximums"][i] : curve["Values"][i], column[1]);
      ASSERT_EQ(curve["Values"][i], column[2]);
      ASSERT_NEAR(curve["Smoothed"][i], column[3], 1e-9);
      ASSERT_EQ(curve["Times"][i], column[4]);
      ++i;
    }
  }
}

TEST_F(CurvesTest, AllCurvesHaveOneGrid) {
  Put("a", std::vector<double>(100, 1.0));
  Put("b", std::vector<double>(50, 2.0));
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("a"), Of("b")}}, {"Columns", 10}});
  EXPECT_GE(reply["Curves"][0]["Values"].size(), 10u);
  EXPECT_LE(reply["Curves"][1]["Values"].size(), 6u);  // it lies in half of the interval
  EXPECT_EQ(reply["Curves"][1]["Columns"][0], 0);
}

// Runs that began at different times, each from its own beginning.
TEST_F(CurvesTest, EachCurveMayHaveItsOrigin) {
  Put("a", {1, 2, 3});
  Put("b", {4, 5});
  Json a = Of("a"), b = Of("b");
  a["Origin"] = kSeconds;
  b["Origin"] = kSeconds - 1;
  const Json reply = Do("GetMetricCurves", {{"Curves", {a, b}}, {"Columns", 4000}});
  EXPECT_EQ(reply["Start"], 0);
  EXPECT_EQ(reply["Width"], 0.001);
  EXPECT_EQ(reply["Curves"][0]["Columns"], Json({0, 1000, 2000}));
  EXPECT_EQ(reply["Curves"][1]["Columns"], Json({1000, 2000}));
  EXPECT_EQ(reply["Curves"][1]["Times"], Json({kSeconds, kSeconds + 1}));
}

TEST_F(CurvesTest, AChartThatGrowsKeepsItsColumns) {
  Put("loss", std::vector<double>(1000, 1.0));
  const Json before = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Columns", 100}});
  const std::vector<store::MetricDatum> more{
      {{kAccount, "n", "loss", {}}, store::MetricSample::Of(kStart + 999'001, 7)}};
  ASSERT_TRUE(store::Metrics(*database_).Put(more));
  const Json after = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Columns", 100}});
  for (const char* same : {"Start", "Width"}) EXPECT_EQ(before[same], after[same]);
}

TEST_F(CurvesTest, StepsAreCountedFromOne) {
  Put("loss", {10, 11, 12, 13, 14});
  const Json all = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Axis", "Step"}});
  EXPECT_EQ(all["Start"], 1);
  EXPECT_EQ(all["Width"], 1);
  EXPECT_EQ(all["Curves"][0]["Columns"], Json({0, 1, 2, 3, 4}));
  const auto values = [&](double from, double to) {
    return Do("GetMetricCurves",
              {{"Curves", {Of("loss")}}, {"Axis", "Step"}, {"From", from}, {"To", to}})["Curves"][0]["Values"];
  };
  EXPECT_EQ(values(2, 4), Json({11, 12}));
  EXPECT_EQ(values(2.2, 3.8), Json::array({12}));
}

TEST_F(CurvesTest, WithoutANameAllOfTheseDimensionsAreShown) {
  const auto put = [&](const char* name, const store::Dimensions& dimensions) {
    const store::MetricDatum datum{{kAccount, "n", name, dimensions}, store::MetricSample::Of(kStart, 1)};
    ASSERT_TRUE(store::Metrics(*database_).Put({&datum, 1}));
  };
  put("loss", {{"Job", "a"}});
  put("accuracy", {{"Job", "a"}});
  put("loss", {{"Job", "b"}});
  put("use", {{"Job", "a"}, {"Host", "1"}});
  const auto of = [](const char* job) {
    return Json{{"Namespace", "n"}, {"Dimensions", {{{"Name", "Job"}, {"Value", job}}}}};
  };
  const Json reply = Do("GetMetricCurves", {{"Curves", {of("a"), of("none"), of("b")}}});
  std::vector<std::pair<int, std::string>> names;
  for (const Json& curve : reply["Curves"]) names.emplace_back(curve["Curve"], curve["MetricName"]);
  EXPECT_THAT(names,
              testing::ElementsAre(testing::Pair(0, "loss"), testing::Pair(0, "accuracy"), testing::Pair(2, "loss")));
}

TEST_F(CurvesTest, AnIntervalShowsWhatLiesInIt) {
  Put("loss", {0, 1, 2, 3, 4, 5});
  const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"From", kSeconds + 2}, {"To", kSeconds + 4}});
  EXPECT_EQ(reply["Curves"][0]["Values"], Json({2, 3}));
}

TEST_F(CurvesTest, AnIntervalMayLieAnywhere) {
  Put("loss", {1, 2});
  for (const char* axis : {"Time", "Step"}) {
    for (const double at : {-8e15, -1.0, 0.0, 8e15}) {
      const Json reply = Do("GetMetricCurves", {{"Curves", {Of("loss")}}, {"Axis", axis}, {"From", at}, {"To", at}});
      EXPECT_EQ(reply["Curves"][0]["SampleCount"], 0) << at;
    }
    const Json all = Do("GetMetricCurves",
                        {{"Curves", {Of("loss")}}, {"Axis", axis}, {"From", -8e15}, {"To", 8e15}, {"Columns", 4000}});
    EXPECT_EQ(all["Curves"][0]["SampleCount"], 2);
  }
}

TEST_F(CurvesTest, OfWhatWasSummedUpTheMeanIsShown) {
  const std::vector<store::MetricDatum> data{{{kAccount, "n", "sum", {}}, {kStart, 4, 10, 1, 5}},
                                             {{kAccount, "n", "sum", {}}, {kStart + 1000, 0.5, 1, 2, 2}}};
  ASSERT_TRUE(store::Metrics(*database_).Put(data));
  EXPECT_EQ(Do("GetMetricCurves", {{"Curves", {Of("sum")}}})["Curves"][0]["Values"], Json({2.5, 2}));
}

TEST_F(CurvesTest, SmoothingIsTheSameAtEveryZoom) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 2);
  Put("loss", values);
  const auto smoothed = [&](const Json& more) {
    Json input{{"Curves", {Of("loss")}}, {"Axis", "Step"}, {"Smoothing", 0.9}};
    input.update(more);
    return Do("GetMetricCurves", input)["Curves"][0]["Smoothed"];
  };
  const Json all = smoothed(Json::object());
  EXPECT_NEAR(all[1], (0.1 * 1) / (1 - 0.9 * 0.9), 1e-12);  // without a bias towards 0
  EXPECT_EQ(smoothed({{"Columns", 10}}).back(), all[99]);
  EXPECT_EQ(smoothed({{"From", 50}, {"To", 52}}), Json({all[49], all[50]}));
}

TEST_F(CurvesTest, AnotherAccountSeesNothing) {
  Put("loss", {1, 2, 3});
  EXPECT_EQ(Do("GetMetricCurves", {{"Curves", {Of("loss")}}}, kOther)["Curves"], Json::array());
  EXPECT_EQ(Do("GetMetricCurves", {{"Curves", {{{"Namespace", "n"}}}}}, kOther)["Curves"], Json::array());
}

TEST_F(CurvesTest, RefusesWhatItCannotDraw) {
  EXPECT_THAT(Refusal("GetMetricCurves", Json::object()), HasSubstr("Curves"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"Columns", 0}}), HasSubstr("wanted 1 to 4000"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"Smoothing", 1}}), HasSubstr("Smoothing"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"To", "soon"}}), HasSubstr("To"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {Of("a")}}, {"Axis", "Epoch"}}), HasSubstr("Time or Step"));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {{{"MetricName", "a"}}}}}), HasSubstr("Namespace"));
}

TEST_F(CurvesTest, RefusesMoreCurvesThanAReplyHolds) {
  std::vector<store::MetricDatum> data;
  for (int i = 0; i <= 200; ++i)
    data.push_back({{kAccount, "n", fmt::format("m{}", i), {}}, store::MetricSample::Of(kStart, i)});
  ASSERT_TRUE(store::Metrics(*database_).Put(data));
  EXPECT_THAT(Refusal("GetMetricCurves", {{"Curves", {{{"Namespace", "n"}}}}}), HasSubstr("more than 200"));
}

}  // namespace
}  // namespace headrace::api::console
