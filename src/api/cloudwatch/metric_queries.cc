#include "api/cloudwatch/metric_queries.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/cloudwatch/labels.h"
#include "api/cloudwatch/search.h"
#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

using aws::Call;

constexpr size_t kMostQueries = 500, kMostSearched = 100;
constexpr int64_t kDefaultSearchSeconds = 300;

bool IsId(const std::string& id) {
  const auto is_id_byte = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !id.empty() && id[0] >= 'a' && id[0] <= 'z' && std::all_of(id.begin(), id.end(), is_id_byte);
}

Reply<Json> DecodeMetricStat(const Call& call, const Json& stat, const std::string& path, MetricQuery& query) {
  const Json* metric = Find(stat, "Metric");
  if (!metric) return MissingParameter(path + ".Metric");
  store::MetricKey key{call.caller.account_id, {}, {}, {}};
  HEADRACE_REPLY_PASS(key.name_space, NamespaceOf(*metric, path + ".Metric.Namespace"));
  HEADRACE_REPLY_PASS(key.name, TextOf(*metric, "MetricName", path + ".Metric.MetricName", 255));
  HEADRACE_REPLY_PASS(key.dimensions, DimensionsOf(*metric, path + ".Metric.Dimensions"));
  query.metric = std::move(key);
  const Json* period = Find(stat, "Period");
  if (!period) return MissingParameter(path + ".Period");
  HEADRACE_REPLY_PASS(const int64_t seconds, PeriodOf(*period, path + ".Period"));
  query.period = seconds * 1000;
  HEADRACE_REPLY_PASS(const auto name, TextOf(stat, "Stat", path + ".Stat", 64));
  const auto statistic = ParseStatistic(name);
  if (!statistic) {
    return InvalidValue(
        fmt::format("The value {} for parameter {}.Stat is not supported: wanted SampleCount, Average, "
                    "Sum, Minimum, Maximum or a percentile such as p99.",
                    name, path));
  }
  query.statistic = *statistic;
  query.statistic_name = name;
  HEADRACE_REPLY_PASS(query.unit, UnitOf(stat, path + ".Unit"));
  return Json::object();
}

Reply<MetricQuery> DecodeQuery(const Call& call, const Json& input, const std::string& path) {
  MetricQuery query;
  HEADRACE_REPLY_PASS(query.id, TextOf(input, "Id", path + ".Id", 255));
  if (!IsId(query.id)) {
    return InvalidValue(
        fmt::format("The value {} for parameter {}.Id is not matching the expected pattern "
                    "^[a-z][a-zA-Z0-9_]*$.",
                    query.id, path));
  }
  HEADRACE_REPLY_PASS(query.label, OptionalText(input, "Label", path + ".Label", 1024));
  HEADRACE_REPLY_PASS(query.return_data, BooleanOf(input, "ReturnData", path + ".ReturnData", true));
  HEADRACE_REPLY_PASS(const auto expression, OptionalText(input, "Expression", path + ".Expression", 2048));
  const Json* stat = Find(input, "MetricStat");
  if ((stat != nullptr) == expression.has_value()) {
    return InvalidCombination(
        fmt::format("Exactly one of the parameters {0}.MetricStat and {0}.Expression must be given.", path));
  }
  if (stat) {
    HEADRACE_REPLY_PASS(const Json decoded, DecodeMetricStat(call, *stat, path + ".MetricStat", query));
    return query;
  }
  HEADRACE_REPLY_PASS(query.expression, ParseExpression(*expression));
  return query;
}

void LabelBySearch(const std::vector<store::MetricSeries>& found, SeriesList& list) {
  std::vector<SeriesName> names;
  for (const store::MetricSeries& series : found) names.push_back({series.key, {}, {}, 0});
  auto labels = DistinctLabels(names, MetricNameIn::kLabelsThatNeedIt);
  for (size_t i = 0; i < list.size(); ++i) list[i].label = std::move(labels[i]);
}

tl::unexpected<aws::ServiceError> Unusable(std::string_view name, std::string_view wanted) {
  return InvalidValue(fmt::format("Error in expression: {} wants {}", name, wanted));
}

}  // namespace

Reply<std::vector<MetricQuery>> DecodeQueries(const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto list, ListOf(input, "MetricDataQueries", "MetricDataQueries", kMostQueries));
  if (list.empty()) return MissingParameter("MetricDataQueries");
  std::vector<MetricQuery> queries;
  std::set<std::string> ids;
  for (size_t i = 0; i < list.size(); ++i) {
    HEADRACE_REPLY_PASS(auto query, DecodeQuery(call, list[i], fmt::format("MetricDataQueries.member.{}", i + 1)));
    if (!ids.insert(query.id).second) {
      return InvalidValue("The values for parameter id in MetricDataQueries are not unique.");
    }
    queries.push_back(std::move(query));
  }
  return queries;
}

Reply<Value> Evaluation::Of(const MetricQuery& query) {
  if (const auto known = known_.find(query.id); known != known_.end()) return known->second;
  if (!open_.insert(query.id).second) {
    return InvalidValue(fmt::format("Error in expression '{}': it refers to itself", query.id));
  }
  Value value = TimeSeries{};
  if (query.expression) {
    HEADRACE_REPLY_PASS(value, Of(*query.expression));
    if (auto* series = std::get_if<TimeSeries>(&value)) series->label = query.id;
  } else {
    HEADRACE_REPLY(const auto series, metrics_.Find(*query.metric));
    TimeSeries points{query.metric->name, query.period, {}};
    if (series) {
      HEADRACE_REPLY_PASS(points, Read(series->id, query.statistic, query.period, query.unit));
      points.label = query.metric->name;
    }
    value = std::move(points);
  }
  open_.erase(query.id);
  known_[query.id] = value;
  return value;
}

Reply<TimeSeries> Evaluation::Read(int64_t series, const Statistic& statistic, UnixMillis period,
                                   const std::string& unit) {
  TimeSeries result{{}, period, {}};
  const bool keep_values = statistic.kind == Statistic::Kind::kPercentile;
  HEADRACE_REPLY(const auto buckets, Aggregate(metrics_, series, from_, to_, period, unit, keep_values));
  for (const auto& [time, bucket] : buckets) {
    if (const auto value = bucket.Value(statistic)) result.points[time] = *value;
  }
  return result;
}

Reply<Value> Evaluation::Of(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::kNumber:
      return Value(expression.number);
    case Expression::Kind::kText:
      return InvalidValue(
          fmt::format("Error in expression: found the text '{}', wanted a number or a time series", expression.text));
    case Expression::Kind::kId:
      return OfId(expression.text);
    case Expression::Kind::kNegate: {
      HEADRACE_REPLY_PASS(const auto value, Of(*expression.operands[0]));
      return Negate(value);
    }
    case Expression::Kind::kOperator: {
      HEADRACE_REPLY_PASS(const auto left, Of(*expression.operands[0]));
      HEADRACE_REPLY_PASS(const auto right, Of(*expression.operands[1]));
      return Combine(expression.text, left, right);
    }
    case Expression::Kind::kCall:
      break;
  }
  return Call(expression);
}

Reply<Value> Evaluation::OfId(const std::string& id) {
  const auto found =
      std::find_if(queries_.begin(), queries_.end(), [&](const MetricQuery& query) { return query.id == id; });
  if (found == queries_.end()) {
    return InvalidValue(fmt::format("Error in expression: unknown identifier {}, there is no query of that id", id));
  }
  return Of(*found);
}

Reply<Value> Evaluation::Call(const Expression& call) {
  if (call.text == "SEARCH") return Search(call);
  if (call.text == "METRICS") return MetricsFunction(call);
  std::vector<Argument> arguments;
  // These words are parameters of functions, not ids.
  static const std::set<std::string, std::less<>> kWords{"REPEAT", "LINEAR", "ASC", "DESC", "SUM", "AVG", "MIN", "MAX"};
  for (const auto& operand : call.operands) {
    Argument argument;
    if (operand->kind == Expression::Kind::kText ||
        (operand->kind == Expression::Kind::kId && kWords.contains(operand->text))) {
      argument.is_text = true;
      argument.text = operand->text;
    } else {
      HEADRACE_REPLY_PASS(argument.value, Of(*operand));
    }
    arguments.push_back(std::move(argument));
  }
  if (call.text != "TIME_SERIES") return CallFunction(call.text, arguments);
  if (arguments.size() != 1 || arguments[0].is_text || !std::holds_alternative<double>(arguments[0].value)) {
    return Unusable("TIME_SERIES", "a number");
  }
  TimeSeries series{{}, kDefaultSearchSeconds * 1000, {}};
  for (const auto& query : queries_) {
    if (query.metric) series.period = query.period;
  }
  const size_t most = 100'800;
  for (UnixMillis time = PeriodStart(std::max<UnixMillis>(from_, 0), series.period);
       time < to_ && series.points.size() < most; time += series.period) {
    series.points[time] = std::get<double>(arguments[0].value);
  }
  return Value(std::move(series));
}

Reply<Value> Evaluation::MetricsFunction(const Expression& call) {
  if (call.operands.size() > 1 || (call.operands.size() == 1 && call.operands[0]->kind != Expression::Kind::kText)) {
    return Unusable("METRICS", "nothing, or a text that ids shall hold");
  }
  const std::string part = call.operands.empty() ? "" : call.operands[0]->text;
  SeriesList list;
  const auto labels = LabelsOf(queries_, false);
  for (const auto& query : queries_) {
    if (!query.metric || query.id.find(part) == std::string::npos) continue;
    HEADRACE_REPLY_PASS(auto value, Of(query));
    auto series = std::get<TimeSeries>(std::move(value));
    series.label = query.label ? *query.label : labels.at(query.id);
    list.push_back(std::move(series));
  }
  return Value(std::move(list));
}

Reply<Value> Evaluation::Search(const Expression& call) {
  const auto& operands = call.operands;
  const bool ok = operands.size() >= 2 && operands.size() <= 3 && operands[0]->kind == Expression::Kind::kText &&
                  operands[1]->kind == Expression::Kind::kText &&
                  (operands.size() == 2 || operands[2]->kind == Expression::Kind::kNumber);
  if (!ok) return Unusable("SEARCH", "a quoted query, a quoted statistic and possibly a period");
  HEADRACE_REPLY_PASS(const auto query, SearchQuery::Parse(operands[0]->text));
  const auto statistic = ParseStatistic(operands[1]->text);
  if (!statistic) {
    return InvalidValue(
        fmt::format("Error in expression: SEARCH found the statistic {}, wanted SampleCount, Average, "
                    "Sum, Minimum, Maximum or a percentile such as p99",
                    operands[1]->text));
  }
  const Json wanted = operands.size() == 3 ? Json(operands[2]->number) : Json(kDefaultSearchSeconds);
  HEADRACE_REPLY_PASS(const int64_t seconds, PeriodOf(wanted, "Period of SEARCH"));

  store::Metrics::SeriesFilter filter;
  filter.account_id = account_;
  query.Narrow(filter);
  filter.active_since = PeriodStart(std::max<UnixMillis>(from_, 0), seconds * 1000);
  HEADRACE_REPLY(auto found, metrics_.List(filter));
  std::erase_if(found,
                [&](const store::MetricSeries& series) { return series.first >= to_ || !query.Matches(series.key); });
  if (found.size() > kMostSearched) {
    truncated_ = true;
    found.resize(kMostSearched);
  }
  SeriesList list;
  for (const auto& series : found) {
    HEADRACE_REPLY_PASS(auto points, Read(series.id, *statistic, seconds * 1000, ""));
    list.push_back(std::move(points));
  }
  if (!found.empty()) LabelBySearch(found, list);
  return Value(std::move(list));
}

}  // namespace headrace::api::cloudwatch
