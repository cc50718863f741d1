#include <set>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/cloudwatch/operations.h"
#include "api/cloudwatch/statistic.h"
#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr size_t kMostDatapoints = 1440;

struct Wanted {
  std::vector<std::string> plain, extended;
  bool keep_values() const { return !extended.empty(); }
};

Reply<std::vector<std::string>> Names(const Json& input, const char* member, size_t longest, bool extended) {
  HEADRACE_REPLY_PASS(const auto list, ListOf(input, member, member, longest));
  std::vector<std::string> names;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = fmt::format("{}.member.{}", member, i + 1);
    const std::string name = list[i].is_string() ? list[i].get<std::string>() : list[i].dump();
    const auto statistic = ParseStatistic(name);
    if (!statistic || (statistic->kind == Statistic::Kind::kPercentile) != extended) {
      return InvalidValue(fmt::format(
          "The value {} for parameter {} is invalid: wanted {}.", name, path,
          extended ? "a percentile such as p99 or p99.9" : "SampleCount, Average, Sum, Minimum or Maximum"));
    }
    names.push_back(name);
  }
  return names;
}

Reply<Wanted> WantedOf(const Json& input) {
  Wanted wanted;
  HEADRACE_REPLY_PASS(wanted.plain, Names(input, "Statistics", 5, false));
  HEADRACE_REPLY_PASS(wanted.extended, Names(input, "ExtendedStatistics", 10, true));
  if (wanted.plain.empty() && wanted.extended.empty()) return MissingParameter("Statistics or ExtendedStatistics");
  return wanted;
}

Json Datapoint(UnixMillis time, const Bucket& bucket, const std::string& unit, const Wanted& wanted) {
  Json point{{"Timestamp", Seconds(time)}, {"Unit", unit}};
  for (const auto& name : wanted.plain) {
    if (const auto value = bucket.Value(*ParseStatistic(name))) point[name] = *value;
  }
  Json extended = Json::object();
  for (const auto& name : wanted.extended) {
    if (const auto value = bucket.Value(*ParseStatistic(name))) extended[name] = *value;
  }
  if (!extended.empty()) point["ExtendedStatistics"] = std::move(extended);
  return point;
}

// The units that occur; a datapoint never mixes them.
Result<std::set<std::string>> UnitsOf(store::Metrics& metrics, int64_t series, UnixMillis from, UnixMillis to) {
  std::set<std::string> units;
  HEADRACE_TRY(metrics.Read(series, from, to, [&](const store::MetricSample& sample) { units.insert(sample.unit); }));
  return units;
}

}  // namespace

Reply<Json> GetMetricStatistics(store::Metrics& metrics, const Call& call, const Json& input) {
  store::MetricKey key{call.caller.account_id, {}, {}, {}};
  HEADRACE_REPLY_PASS(key.name_space, NamespaceOf(input, "Namespace"));
  HEADRACE_REPLY_PASS(key.name, TextOf(input, "MetricName", "MetricName", 255));
  HEADRACE_REPLY_PASS(key.dimensions, DimensionsOf(input, "Dimensions"));
  HEADRACE_REPLY_PASS(const auto start, TimeOf(input, "StartTime", "StartTime"));
  HEADRACE_REPLY_PASS(const auto end, TimeOf(input, "EndTime", "EndTime"));
  const Json* period_given = Find(input, "Period");
  if (!period_given) return MissingParameter("Period");
  HEADRACE_REPLY_PASS(const int64_t seconds, PeriodOf(*period_given, "Period"));
  HEADRACE_REPLY_PASS(const auto wanted, WantedOf(input));
  HEADRACE_REPLY_PASS(const auto unit, UnitOf(input, "Unit"));
  if (start >= end) {
    return InvalidCombination("The parameter StartTime must be less than the parameter EndTime.");
  }

  Json reply{{"Label", key.name}, {"Datapoints", Json::array()}};
  HEADRACE_REPLY(const auto series, metrics.Find(key));
  if (!series) return reply;
  const UnixMillis period = seconds * 1000;
  std::set<std::string> units{unit};
  if (unit.empty()) {
    HEADRACE_REPLY(units, UnitsOf(metrics, series->id, PeriodStart(std::max<UnixMillis>(start, 0), period), end));
  }
  for (const auto& one : units) {
    HEADRACE_REPLY(const auto buckets, Aggregate(metrics, series->id, start, end, period, one, wanted.keep_values()));
    for (const auto& [time, bucket] : buckets) reply["Datapoints"].push_back(Datapoint(time, bucket, one, wanted));
  }
  // Of what is there, not of what would fit into the interval: a long job with few samples can be read in one call.
  if (const size_t found = reply["Datapoints"].size(); found > kMostDatapoints) {
    return InvalidCombination(
        fmt::format("You have requested up to {} datapoints, which exceeds the limit of {}. You may reduce the "
                    "datapoints requested "
                    "by increasing Period, or decreasing the time range.",
                    found, kMostDatapoints));
  }
  return reply;
}

}  // namespace headrace::api::cloudwatch
