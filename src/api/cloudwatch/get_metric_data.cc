#include <charconv>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/cloudwatch/labels.h"
#include "api/cloudwatch/metric_queries.h"
#include "api/cloudwatch/operations.h"
#include "api/input.h"
#include "aws/page_token.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr const char* kListing = "GetMetricData";
constexpr int64_t kMostDatapoints = 100'800;

struct Result {
  std::string id, label;
  std::vector<std::pair<UnixMillis, double>> points;  // in the order asked for
};

void AddResult(const MetricQuery& query, const TimeSeries& series, bool listed, bool ascending,
               std::vector<Result>& results) {
  Result result{query.id, query.label.value_or(series.label), {}};
  // The series of a list share the query's id; its label stands in front of what tells them apart.
  if (listed && query.label) result.label += " " + series.label;
  if (ascending) {
    result.points.assign(series.points.begin(), series.points.end());
  } else {
    result.points.assign(series.points.rbegin(), series.points.rend());
  }
  results.push_back(std::move(result));
}

Reply<std::vector<Result>> Evaluate(Evaluation& evaluation, const std::vector<MetricQuery>& queries, bool ascending) {
  std::vector<Result> results;
  const auto labels = LabelsOf(queries, true);
  for (const auto& query : queries) {
    if (!query.return_data) continue;
    HEADRACE_REPLY_PASS(auto value, evaluation.Of(query));
    if (auto* series = std::get_if<TimeSeries>(&value)) {
      if (const auto label = labels.find(query.id); label != labels.end()) series->label = label->second;
      AddResult(query, *series, false, ascending, results);
    } else if (const auto* list = std::get_if<SeriesList>(&value)) {
      for (const auto& one : *list) AddResult(query, one, true, ascending, results);
    } else {
      return InvalidValue(fmt::format(
          "Error in expression '{}': it is a number, wanted a time series; TIME_SERIES(…) makes one of it", query.id));
    }
  }
  return results;
}

// One page: `most` datapoints of all results in a row from `skip` on. Series that go on are PartialData.
Json Page(const std::vector<Result>& results, size_t skip, size_t most, size_t& next) {
  Json list = Json::array();
  size_t at = 0;  // of the first point of the result in the row of all
  for (const auto& result : results) {
    const size_t size = result.points.size(), end = at + size;
    const size_t from = std::clamp(skip, at, end), to = std::clamp(skip + most, at, end);
    // Results without a point are shown on the first page.
    if (to > from || (size == 0 && skip == 0)) {
      Json times = Json::array(), values = Json::array();
      for (size_t i = from - at; i < to - at; ++i) {
        times.push_back(Seconds(result.points[i].first));
        values.push_back(result.points[i].second);
      }
      list.push_back({{"Id", result.id},
                      {"Label", result.label},
                      {"Timestamps", std::move(times)},
                      {"Values", std::move(values)},
                      {"StatusCode", to == end ? "Complete" : "PartialData"}});
    }
    at = end;
  }
  next = at > skip + most ? skip + most : 0;
  return list;
}

}  // namespace

Reply<Json> GetMetricData(store::Metrics& metrics, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto start, TimeOf(input, "StartTime", "StartTime"));
  HEADRACE_REPLY_PASS(const auto end, TimeOf(input, "EndTime", "EndTime"));
  if (start >= end) return InvalidValue("The parameter StartTime must be less than the parameter EndTime.");
  HEADRACE_REPLY_PASS(const auto queries, DecodeQueries(call, input));
  HEADRACE_REPLY_PASS(const auto most, OptionalInteger(input, "MaxDatapoints", "MaxDatapoints"));
  if (most && (*most < 1 || *most > kMostDatapoints)) {
    return InvalidValue(
        fmt::format("The parameter MaxDatapoints must be between 1 and {}, found {}.", kMostDatapoints, *most));
  }
  HEADRACE_REPLY_PASS(const auto order, OptionalText(input, "ScanBy", "ScanBy", 64));
  if (order && *order != "TimestampAscending" && *order != "TimestampDescending") {
    return InvalidValue(
        fmt::format("The parameter ScanBy must be TimestampAscending or TimestampDescending, found {}.", *order));
  }
  size_t skip = 0;
  HEADRACE_REPLY_PASS(const auto token, OptionalText(input, "NextToken", "NextToken", 8192));
  if (token) {
    HEADRACE_REPLY_PASS(const auto position, aws::ReadPageToken(kListing, *token, "InvalidNextToken"));
    std::from_chars(position.data(), position.data() + position.size(), skip);
  }

  Evaluation evaluation(metrics, call.caller.account_id, queries, start, end);
  HEADRACE_REPLY_PASS(const auto results, Evaluate(evaluation, queries, order == "TimestampAscending"));
  size_t next = 0;
  Json reply{{"MetricDataResults", Page(results, skip, static_cast<size_t>(most.value_or(kMostDatapoints)), next)},
             {"Messages", Json::array()}};
  if (next != 0) reply["NextToken"] = aws::MakePageToken(kListing, std::to_string(next));
  if (evaluation.truncated()) {
    reply["Messages"].push_back({{"Code", "MaxMetricsExceeded"},
                                 {"Value", "A SEARCH found more than 100 time series; the first 100 are returned."}});
  }
  return reply;
}

}  // namespace headrace::api::cloudwatch
