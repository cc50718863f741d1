#include "api/cloudwatch/cloudwatch_service.h"

#include <gmock/gmock.h>

#include "api/testing/service_test.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr double kSeconds = 1767225600;  // kStart

class CloudWatchTest : public ServiceTest {
 protected:
  using Json = aws::Json;
  CloudWatchTest() { service_ = CloudWatchService(*database_); }

  static Json Dimension(const std::string& name, const std::string& value) {
    return {{{"Name", name}, {"Value", value}}};
  }
  void Put(const std::string& name, double time, double value, const std::string& job = "job") {
    now_ = static_cast<UnixMillis>(time * 1000);
    Do("PutMetricData",
       {{"Namespace", "ns"},
        {"MetricData",
         {{{"MetricName", name}, {"Dimensions", Dimension("Job", job)}, {"Timestamp", time}, {"Value", value}}}}});
  }
  static Json StatisticsInput(Json more = Json::object()) {
    Json input{{"Namespace", "ns"},        {"MetricName", "loss"},       {"Dimensions", Dimension("Job", "job")},
               {"StartTime", kSeconds},    {"EndTime", kSeconds + 3600}, {"Period", 60},
               {"Statistics", {"Average"}}};
    input.update(more);
    return input;
  }
  Json Data(const Json& queries, Json more = Json::object()) {
    Json input{{"MetricDataQueries", queries},
               {"StartTime", kSeconds},
               {"EndTime", kSeconds + 3600},
               {"ScanBy", "TimestampAscending"}};
    input.update(more);
    return Do("GetMetricData", input);
  }
  static Json MetricQuery(const std::string& id, const std::string& metric, const std::string& stat = "Average") {
    return {{"Id", id},
            {"MetricStat",
             {{"Metric", {{"Namespace", "ns"}, {"MetricName", metric}, {"Dimensions", Dimension("Job", "job")}}},
              {"Period", 60},
              {"Stat", stat}}}};
  }
  static Json ExpressionQuery(const std::string& id, const std::string& expression) {
    return {{"Id", id}, {"Expression", expression}};
  }
  // The values of an expression over m1 (1, 2, 4) and m2 (10, 20, -), a minute apart.
  std::vector<double> Evaluated(const std::string& expression) {
    Json m1 = MetricQuery("m1", "loss"), m2 = MetricQuery("m2", "accuracy");
    m1["ReturnData"] = m2["ReturnData"] = false;
    const Json reply = Data({m1, m2, ExpressionQuery("e", expression)});
    if (reply["MetricDataResults"].size() != 1) {
      ADD_FAILURE() << expression << ": " << reply.dump();
      return {};
    }
    return reply["MetricDataResults"][0]["Values"];
  }
  void PutSample() {
    Put("loss", kSeconds, 1);
    Put("loss", kSeconds + 60, 2);
    Put("loss", kSeconds + 120, 4);
    Put("accuracy", kSeconds, 10);
    Put("accuracy", kSeconds + 60, 20);
  }
};

TEST_F(CloudWatchTest, AggregatesByPeriod) {
  Put("loss", kSeconds + 0.001, 1);
  Put("loss", kSeconds + 59.999, 3);
  Put("loss", kSeconds + 60, 8);
  const Json reply = Do("GetMetricStatistics",
                        StatisticsInput({{"Statistics", {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}}}));
  EXPECT_EQ(reply["Label"], "loss");
  EXPECT_EQ(reply["Datapoints"], Json::parse(R"([
    {"Timestamp": 1767225600.0, "Unit": "None", "SampleCount": 2.0, "Average": 2.0, "Sum": 4.0, "Minimum": 1.0, "Maximum": 3.0},
    {"Timestamp": 1767225660.0, "Unit": "None", "SampleCount": 1.0, "Average": 8.0, "Sum": 8.0, "Minimum": 8.0, "Maximum": 8.0}])"));
  // The end is not part of the interval, and a shorter period sees the same samples apart.
  EXPECT_EQ(Do("GetMetricStatistics", StatisticsInput({{"EndTime", kSeconds + 60}}))["Datapoints"].size(), 1U);
  EXPECT_EQ(Do("GetMetricStatistics", StatisticsInput({{"Period", 1}}))["Datapoints"].size(), 3U);
}

TEST_F(CloudWatchTest, TakesNumbersAndTimesAsText) {
  now_ = kStart;
  Do("PutMetricData", {{"Namespace", "ns"},
                       {"MetricData",
                        {{{"MetricName", "loss"},
                          {"Dimensions", Dimension("Job", "job")},
                          {"Timestamp", "2026-01-01T00:00:00Z"},
                          {"Value", "0.5"}}}}});
  const Json reply = Do("GetMetricStatistics", StatisticsInput({{"StartTime", "2026-01-01T00:00:00Z"},
                                                                {"EndTime", "2026-01-01T01:00:00.000Z"},
                                                                {"Period", "60"}}));
  EXPECT_EQ(reply["Datapoints"][0]["Average"], 0.5);
}

TEST_F(CloudWatchTest, PercentilesNeedTheValues) {
  for (int i = 1; i <= 5; ++i) Put("loss", kSeconds + i, i * 10);
  Json input = StatisticsInput({{"ExtendedStatistics", {"p0", "p50", "p90", "p100"}}});
  input.erase("Statistics");
  EXPECT_EQ(Do("GetMetricStatistics", input)["Datapoints"][0]["ExtendedStatistics"],
            (Json{{"p0", 10.0}, {"p50", 30.0}, {"p90", 46.0}, {"p100", 50.0}}));
  Do("PutMetricData", {{"Namespace", "ns"},
                       {"MetricData",
                        {{{"MetricName", "loss"},
                          {"Dimensions", Dimension("Job", "job")},
                          {"Timestamp", kSeconds},
                          {"StatisticValues", {{"SampleCount", 2}, {"Sum", 3}, {"Minimum", 1}, {"Maximum", 2}}}}}}});
  EXPECT_FALSE(Do("GetMetricStatistics", input)["Datapoints"][0].contains("ExtendedStatistics"));
  EXPECT_EQ(Do("GetMetricStatistics", StatisticsInput({{"Statistics", {"Sum"}}}))["Datapoints"][0]["Sum"], 153.0);
}

TEST_F(CloudWatchTest, ValuesWithCountsWeigh) {
  now_ = kStart;
  Do("PutMetricData", {{"Namespace", "ns"},
                       {"MetricData",
                        {{{"MetricName", "loss"},
                          {"Dimensions", Dimension("Job", "job")},
                          {"Values", {1, 5}},
                          {"Counts", {3, 1}},
                          {"Unit", "Seconds"}}}}});
  const Json point = Do("GetMetricStatistics", StatisticsInput({{"Statistics", {"Average", "SampleCount"}},
                                                                {"ExtendedStatistics", {"p50"}}}))["Datapoints"][0];
  EXPECT_EQ(point["Average"], 2.0);
  EXPECT_EQ(point["SampleCount"], 4.0);
  EXPECT_EQ(point["ExtendedStatistics"]["p50"], 1.0);
  EXPECT_EQ(point["Unit"], "Seconds");
  EXPECT_THAT(Do("GetMetricStatistics", StatisticsInput({{"Unit", "Count"}}))["Datapoints"], IsEmpty());
}

TEST_F(CloudWatchTest, DimensionsMatchExactlyAndByAccount) {
  Put("loss", kSeconds, 1);
  EXPECT_THAT(Do("GetMetricStatistics", StatisticsInput({{"Dimensions", Json::array()}}))["Datapoints"], IsEmpty());
  EXPECT_THAT(Do("GetMetricStatistics", StatisticsInput(), kOther)["Datapoints"], IsEmpty());
  EXPECT_THAT(Do("ListMetrics", Json::object(), kOther)["Metrics"], IsEmpty());
}

TEST_F(CloudWatchTest, HoldsStatisticsToTheirLimits) {
  for (int i = 0; i < 1441; ++i) Put("loss", kSeconds + i, 1);
  EXPECT_THAT(Refusal("GetMetricStatistics", StatisticsInput({{"Period", 1}})),
              StartsWith("InvalidParameterCombinationException: You have requested up to 1441 datapoints"));
  EXPECT_EQ(Do("GetMetricStatistics", StatisticsInput({{"Period", 5}}))["Datapoints"].size(), 289U);
  const auto refusal = [&](const Json& more) { return Refusal("GetMetricStatistics", StatisticsInput(more)); };
  EXPECT_THAT(refusal({{"Period", 7}}), HasSubstr("1, 5, 10, 20, 30 or a multiple of 60, found 7"));
  EXPECT_THAT(refusal({{"Statistics", {"Median"}}}), StartsWith("InvalidParameterValueException: The value Median"));
  EXPECT_THAT(refusal({{"Statistics", Json::array()}}), StartsWith("MissingRequiredParameterException: "));
  EXPECT_THAT(refusal({{"EndTime", kSeconds}}), HasSubstr("must be less than"));
  EXPECT_THAT(refusal({{"Namespace", ":x"}}), HasSubstr("Namespace"));
  EXPECT_THAT(refusal({{"MetricName", nullptr}}),
              StartsWith("MissingRequiredParameterException: The parameter MetricName"));
  const auto reply = Ask("GetMetricStatistics", StatisticsInput({{"Period", 7}}));
  EXPECT_EQ(reply.error().query_code, "InvalidParameterValue");
}

TEST_F(CloudWatchTest, RefusesDataThatCannotBe) {
  now_ = kStart;
  const auto refusal = [&](const Json& datum, const char* name_space = "ns") {
    Json whole{{"MetricName", "m"}};
    whole.update(datum);
    return Refusal("PutMetricData", {{"Namespace", name_space}, {"MetricData", {whole}}});
  };
  EXPECT_THAT(refusal({{"Value", 1}}, "AWS/EC2"), HasSubstr("The value AWS/EC2 for parameter Namespace is invalid."));
  EXPECT_THAT(refusal(Json::object()), StartsWith("MissingRequiredParameterException: "));
  EXPECT_THAT(refusal({{"Value", "NaN"}}), HasSubstr("MetricData.member.1.Value"));
  EXPECT_THAT(refusal({{"Value", "1x"}}), HasSubstr("MetricData.member.1.Value"));
  EXPECT_THAT(refusal({{"Value", 1}, {"Values", {1}}}), StartsWith("InvalidParameterCombinationException: "));
  EXPECT_THAT(refusal({{"Values", {1, 2}}, {"Counts", {1}}}), HasSubstr("same size"));
  EXPECT_THAT(refusal({{"Value", 1}, {"Unit", "Furlong"}}), HasSubstr("found Furlong"));
  EXPECT_THAT(refusal({{"Value", 1}, {"StorageResolution", 5}}), HasSubstr("StorageResolution"));
  EXPECT_THAT(refusal({{"Value", 1}, {"Timestamp", kSeconds - 15 * 86400}}), HasSubstr("within the past two weeks"));
  EXPECT_THAT(refusal({{"Value", 1}, {"Timestamp", kSeconds + 3 * 3600}}), HasSubstr("two hours in the future"));
  EXPECT_THAT(
      refusal({{"Value", 1}, {"Dimensions", {{{"Name", "a"}, {"Value", "1"}}, {{"Name", "a"}, {"Value", "2"}}}}}),
      HasSubstr("twice"));
  EXPECT_THAT(Do("ListMetrics", Json::object())["Metrics"], IsEmpty());
}

TEST_F(CloudWatchTest, ListsBySubsetsAndPages) {
  Json data = Json::array();
  for (int i = 0; i < 501; ++i) {
    data.push_back({{"MetricName", "m" + std::to_string(i)}, {"Dimensions", Dimension("Job", "job")}, {"Value", 1}});
  }
  Do("PutMetricData", {{"Namespace", "ns"}, {"MetricData", data}});
  const Json page = Do("ListMetrics", {{"Namespace", "ns"}, {"Dimensions", {{{"Name", "Job"}}}}});
  EXPECT_EQ(page["Metrics"].size(), 500U);
  const Json rest = Do("ListMetrics", {{"Namespace", "ns"}, {"NextToken", page["NextToken"]}});
  EXPECT_EQ(rest["Metrics"],
            Json::array({{{"Namespace", "ns"}, {"MetricName", "m500"}, {"Dimensions", Dimension("Job", "job")}}}));
  EXPECT_FALSE(rest.contains("NextToken"));
  EXPECT_EQ(Do("ListMetrics", {{"MetricName", "m7"}})["Metrics"].size(), 1U);
  now_ = kStart + 4 * 3600 * 1000LL;
  EXPECT_THAT(Do("ListMetrics", {{"RecentlyActive", "PT3H"}})["Metrics"], IsEmpty());
  EXPECT_THAT(Refusal("ListMetrics", {{"NextToken", "x"}}), StartsWith("InvalidNextToken: "));
}

TEST_F(CloudWatchTest, ReadsMetricsInEitherOrderAndInPages) {
  PutSample();
  Json reply = Data({MetricQuery("m1", "loss"), MetricQuery("none", "absent")});
  EXPECT_EQ(reply["MetricDataResults"], Json::parse(R"([
    {"Id": "m1", "Label": "loss", "Timestamps": [1767225600.0, 1767225660.0, 1767225720.0], "Values": [1.0, 2.0, 4.0],
     "StatusCode": "Complete"},
    {"Id": "none", "Label": "absent", "Timestamps": [], "Values": [], "StatusCode": "Complete"}])"));
  reply = Data(Json::array({MetricQuery("m1", "loss")}), {{"ScanBy", "TimestampDescending"}});
  EXPECT_THAT(reply["MetricDataResults"][0]["Values"], ElementsAre(4, 2, 1));

  std::vector<double> values;
  std::vector<std::string> states;
  Json more{{"MaxDatapoints", 2}};
  for (int page = 0; page < 9; ++page) {
    reply = Data({MetricQuery("m1", "loss"), MetricQuery("m2", "accuracy")}, more);
    for (const auto& result : reply["MetricDataResults"]) {
      states.push_back(result["StatusCode"]);
      for (const auto& value : result["Values"]) values.push_back(value);
    }
    if (!reply.contains("NextToken")) break;
    more["NextToken"] = reply["NextToken"];
  }
  EXPECT_THAT(values, ElementsAre(1, 2, 4, 10, 20));
  EXPECT_THAT(states, ElementsAre("PartialData", "Complete", "PartialData", "Complete"));
}

TEST_F(CloudWatchTest, LabelsTellResultsApart) {
  const auto labels = [&](const std::vector<Json>& queries) {
    std::vector<std::string> found;
    const Json reply = Data(Json(queries));
    for (const auto& result : reply["MetricDataResults"]) found.push_back(result["Label"]);
    return found;
  };
  const auto of = [](Json query, const char* member, const Json& value) {
    query["MetricStat"]["Metric"][member] = value;
    return query;
  };
  const Json loss = MetricQuery("m1", "loss"), again = MetricQuery("m2", "loss");
  EXPECT_THAT(labels({loss}), ElementsAre("loss"));
  EXPECT_THAT(labels({loss, MetricQuery("m2", "accuracy")}), ElementsAre("loss", "accuracy"));
  EXPECT_THAT(labels({loss, of(again, "Dimensions", Dimension("Job", "other"))}),
              ElementsAre("job loss", "other loss"));
  EXPECT_THAT(labels({loss, of(again, "Dimensions", Dimension("Run", "job"))}),
              ElementsAre("Job=job loss", "Run=job loss"));
  EXPECT_THAT(labels({loss, of(again, "Namespace", "ns2")}), ElementsAre("ns loss", "ns2 loss"));
  EXPECT_THAT(labels({loss, MetricQuery("m2", "loss", "Maximum")}), ElementsAre("loss Average", "loss Maximum"));
  Json slow = again, named = again, hidden = MetricQuery("m3", "loss", "Sum");
  slow["MetricStat"]["Period"] = 300;
  named["Label"] = "mine";
  hidden["ReturnData"] = false;
  EXPECT_THAT(labels({loss, slow}), ElementsAre("loss 60s", "loss 300s"));
  EXPECT_THAT(labels({loss, named, hidden}), ElementsAre("loss", "mine"));
  EXPECT_THAT(labels({loss, MetricQuery("m2", "loss", "Maximum"), ExpressionQuery("e", "METRICS()")}),
              ElementsAre("loss Average", "loss Maximum", "loss Average", "loss Maximum"));
}

TEST_F(CloudWatchTest, AnEmptyValueIsAnEmptyListInQuery) {
  Put("loss", kSeconds, 1);
  EXPECT_EQ(Do("ListMetrics", {{"Namespace", "ns"}, {"Dimensions", ""}})["Metrics"].size(), 1U);
  EXPECT_THAT(Do("GetMetricStatistics", StatisticsInput({{"Dimensions", ""}}))["Datapoints"], IsEmpty());
  EXPECT_THAT(Refusal("ListMetrics", {{"Dimensions", "x"}}), HasSubstr("Dimensions is invalid"));
}

TEST_F(CloudWatchTest, CalculatesWithSeries) {
  PutSample();
  EXPECT_THAT(Evaluated("m1 + m2"), ElementsAre(11, 22));  // where both have a point
  EXPECT_THAT(Evaluated("2 * m1 ^ 2 - 1"), ElementsAre(1, 7, 31));
  EXPECT_THAT(Evaluated("-(m1 - m2) / 9"), ElementsAre(1, 2));
  EXPECT_THAT(Evaluated("m1 / (m1 - 2)"), ElementsAre(-1, 2));  // division by zero is no point
  EXPECT_THAT(Evaluated("m1 / SUM(m1) * 7"), ElementsAre(1, 2, 4));
  EXPECT_THAT(Evaluated("SUM([m1, m2])"), ElementsAre(11, 22, 4));
  EXPECT_THAT(Evaluated("AVG(METRICS())"), ElementsAre(5.5, 11, 4));
  EXPECT_THAT(Evaluated("MAX(METRICS('m2'))"), ElementsAre(10, 20));
  EXPECT_THAT(Evaluated("m1 > 1"), ElementsAre(0, 1, 1));
  EXPECT_THAT(Evaluated("IF(m1 > 1 AND m1 < 3, m1, 0)"), ElementsAre(0, 2, 0));
  EXPECT_THAT(Evaluated("DIFF(m1)"), ElementsAre(1, 2));
  EXPECT_THAT(Evaluated("RATE(m1) * 60"), ElementsAre(1, 2));
  EXPECT_THAT(Evaluated("RUNNING_SUM(m1)"), ElementsAre(1, 3, 7));
  EXPECT_THAT(Evaluated("FIRST(SORT(METRICS(), AVG, DESC))"), ElementsAre(10, 20));
  EXPECT_THAT(Evaluated("FILL(m1, 0) + PERIOD(m1)"), ElementsAre(61, 62, 64));
  EXPECT_EQ(Evaluated("TIME_SERIES(3)").size(), 60U);
}

TEST_F(CloudWatchTest, FillsGaps) {
  Put("loss", kSeconds, 1);
  Put("loss", kSeconds + 180, 4);
  EXPECT_THAT(Evaluated("FILL(m1, 0)"), ElementsAre(1, 0, 0, 4));
  EXPECT_THAT(Evaluated("FILL(m1, REPEAT)"), ElementsAre(1, 1, 1, 4));
  EXPECT_THAT(Evaluated("FILL(m1, LINEAR)"), ElementsAre(1, 2, 3, 4));
}

TEST_F(CloudWatchTest, SaysWhatIsWrongWithAnExpression) {
  PutSample();
  const auto refusal = [&](const std::string& expression) {
    return Refusal("GetMetricData",
                   {{"MetricDataQueries", {MetricQuery("m1", "loss"), ExpressionQuery("e", expression)}},
                    {"StartTime", kSeconds},
                    {"EndTime", kSeconds + 60}});
  };
  EXPECT_THAT(refusal("m1 +"), HasSubstr("found the end at position 4"));
  EXPECT_THAT(refusal("m9"), HasSubstr("unknown identifier m9"));
  EXPECT_THAT(refusal("e + 1"), HasSubstr("refers to itself"));
  EXPECT_THAT(refusal("ANOMALY_DETECTION_BAND(m1)"), HasSubstr("ANOMALY_DETECTION_BAND is not supported"));
  EXPECT_THAT(refusal("SUM(m1)"), HasSubstr("it is a number"));
  EXPECT_THAT(refusal("METRICS() + METRICS()"), HasSubstr("two lists"));
  EXPECT_THAT(refusal("SEARCH('x', 'Median', 60)"), HasSubstr("found the statistic Median"));
  EXPECT_THAT(refusal("SEARCH('{', 'Average', 60)"), HasSubstr("SEARCH: "));
  EXPECT_THAT(refusal(std::string(2000, '(')), HasSubstr("nested too deep"));
  EXPECT_THAT(Refusal("GetMetricData", {{"MetricDataQueries", {MetricQuery("m1", "a"), MetricQuery("m1", "b")}},
                                        {"StartTime", 1},
                                        {"EndTime", 2}}),
              HasSubstr("not unique"));
  EXPECT_THAT(Refusal("GetMetricData",
                      {{"MetricDataQueries", {{{"Id", "M"}, {"Expression", "1"}}}}, {"StartTime", 1}, {"EndTime", 2}}),
              HasSubstr("^[a-z][a-zA-Z0-9_]*$"));
}

TEST_F(CloudWatchTest, SearchesAsTheConsoleDoes) {
  Put("train:loss", kSeconds, 1, "cifar10-tf-1");
  Put("train:loss", kSeconds, 2, "cifar10-tf-2");
  Put("train:accuracy", kSeconds, 3, "cifar10-tf-1");
  Put("train:loss", kSeconds, 4, "mnist");
  const auto found = [&](const std::string& query) {
    const Json reply = Data(Json::array({ExpressionQuery("q", "SEARCH('" + query + "', 'Average', 60)")}));
    std::vector<std::pair<std::string, double>> pairs;
    for (const auto& result : reply["MetricDataResults"]) {
      EXPECT_EQ(result["Id"], "q");
      pairs.emplace_back(result["Label"], result["Values"][0]);
    }
    return pairs;
  };
  using Pair = std::pair<std::string, double>;
  EXPECT_THAT(found("{ns,Job} train:loss"),
              UnorderedElementsAre(Pair("cifar10-tf-1", 1), Pair("cifar10-tf-2", 2), Pair("mnist", 4)));
  EXPECT_THAT(found("{ns,Job} cifar10-tf"),
              UnorderedElementsAre(Pair("cifar10-tf-1 train:loss", 1), Pair("cifar10-tf-2 train:loss", 2),
                                   Pair("cifar10-tf-1 train:accuracy", 3)));
  EXPECT_THAT(found("{ns,Job} Job=\"cifar10-tf-1\""),
              UnorderedElementsAre(Pair("train:loss", 1), Pair("train:accuracy", 3)));
  EXPECT_THAT(found("{other,Job}"), IsEmpty());
  const Json sum = ExpressionQuery("q", R"(SUM(SEARCH('{ns,Job} MetricName="train:loss"', 'Average', 60)))");
  EXPECT_EQ(Data(Json::array({sum}))["MetricDataResults"][0]["Values"], Json::array({7.0}));
}

}  // namespace
}  // namespace headrace::api
