#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/cloudwatch/operations.h"
#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr size_t kMostData = 1000, kMostValues = 150;
constexpr UnixMillis kHourMs = 3600 * 1000LL, kDayMs = 24 * kHourMs;

using Samples = std::vector<store::MetricSample>;

Reply<Samples> StatisticSet(const Json& set, const std::string& path, UnixMillis time, const std::string& unit) {
  double parts[4];
  constexpr const char* kNames[] = {"SampleCount", "Sum", "Minimum", "Maximum"};
  for (size_t i = 0; i < 4; ++i) {
    const std::string name = path + ".StatisticValues." + kNames[i];
    const Json* found = Find(set, kNames[i]);
    if (!found) return MissingParameter(name);
    HEADRACE_REPLY_PASS(parts[i], NumberOf(*found, name));
  }
  const auto [count, sum, minimum, maximum] = parts;
  if (count <= 0 || minimum > maximum) {
    return InvalidValue(
        fmt::format("The parameter {}.StatisticValues must have a SampleCount greater than 0 and a "
                    "Minimum not greater than its Maximum.",
                    path));
  }
  return Samples{{time, count, sum, minimum, maximum, unit}};
}

Reply<Samples> ValuesAndCounts(const Json& datum, const std::string& path, UnixMillis time, const std::string& unit) {
  HEADRACE_REPLY_PASS(const auto values, ListOf(datum, "Values", path + ".Values", kMostValues));
  HEADRACE_REPLY_PASS(const auto counts, ListOf(datum, "Counts", path + ".Counts", kMostValues));
  if (!counts.empty() && counts.size() != values.size()) {
    return InvalidValue(
        fmt::format("The parameters {0}.Values and {0}.Counts must be of the same size, found {1} and {2}.", path,
                    values.size(), counts.size()));
  }
  Samples samples;
  for (size_t i = 0; i < values.size(); ++i) {
    HEADRACE_REPLY_PASS(const double value, NumberOf(values[i], fmt::format("{}.Values.member.{}", path, i + 1)));
    double count = 1;
    if (!counts.empty()) {
      const std::string name = fmt::format("{}.Counts.member.{}", path, i + 1);
      HEADRACE_REPLY_PASS(count, NumberOf(counts[i], name));
      if (count < 0) return InvalidValue(fmt::format("The parameter {} must be greater than 0.", name));
    }
    if (count > 0) samples.push_back(store::MetricSample::Of(time, value, unit, count));
  }
  return samples;
}

Reply<Samples> SamplesOf(const Json& datum, const std::string& path, UnixMillis time, const std::string& unit) {
  const Json *value = Find(datum, "Value"), *set = Find(datum, "StatisticValues"), *values = Find(datum, "Values");
  const int given = (value != nullptr) + (set != nullptr) + (values != nullptr);
  if (given == 0) {
    return MissingParameter(fmt::format("{0}.Value or {0}.StatisticValues or {0}.Values", path));
  }
  if (given > 1) {
    return InvalidCombination(
        fmt::format("The parameters {0}.Value, {0}.StatisticValues and {0}.Values are mutually exclusive.", path));
  }
  if (set) return StatisticSet(*set, path, time, unit);
  if (values) return ValuesAndCounts(datum, path, time, unit);
  HEADRACE_REPLY_PASS(const double number, NumberOf(*value, path + ".Value"));
  return Samples{store::MetricSample::Of(time, number, unit)};
}

Reply<UnixMillis> TimestampOf(const Json& datum, const std::string& path, UnixMillis now) {
  if (!Find(datum, "Timestamp")) return now;
  HEADRACE_REPLY_PASS(const UnixMillis time, TimeOf(datum, "Timestamp", path + ".Timestamp"));
  if (time < now - 14 * kDayMs) {
    return InvalidValue(fmt::format("The parameter {}.Timestamp must specify a time within the past two weeks.", path));
  }
  if (time > now + 2 * kHourMs) {
    return InvalidValue(
        fmt::format("The parameter {}.Timestamp must specify a time no more than two hours in the future.", path));
  }
  return time;
}

Reply<Json> AddDatum(const Json& datum, const std::string& path, const Call& call, const std::string& name_space,
                     std::vector<store::MetricDatum>& data) {
  store::MetricKey key{call.caller.account_id, name_space, {}, {}};
  HEADRACE_REPLY_PASS(key.name, TextOf(datum, "MetricName", path + ".MetricName", 255));
  HEADRACE_REPLY_PASS(key.dimensions, DimensionsOf(datum, path + ".Dimensions"));
  HEADRACE_REPLY_PASS(const auto unit, UnitOf(datum, path + ".Unit"));
  HEADRACE_REPLY_PASS(const auto resolution, OptionalInteger(datum, "StorageResolution", path + ".StorageResolution"));
  if (resolution && *resolution != 1 && *resolution != 60) {
    return InvalidValue(
        fmt::format("The parameter {}.StorageResolution must be 1 or 60, found {}.", path, *resolution));
  }
  HEADRACE_REPLY_PASS(const auto time, TimestampOf(datum, path, call.now));
  HEADRACE_REPLY_PASS(const auto samples, SamplesOf(datum, path, time, unit.empty() ? "None" : unit));
  for (const auto& sample : samples) data.push_back({key, sample});
  return Json::object();
}

}  // namespace

Reply<Json> PutMetricData(store::Metrics& metrics, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto name_space, NamespaceOf(input, "Namespace"));
  if (name_space.starts_with("AWS/")) {
    return InvalidValue(fmt::format("The value {} for parameter Namespace is invalid.", name_space));
  }
  HEADRACE_REPLY_PASS(const auto plain, ListOf(input, "MetricData", "MetricData", kMostData));
  HEADRACE_REPLY_PASS(const auto entities, ListOf(input, "EntityMetricData", "EntityMetricData", 2));
  if (plain.empty() && entities.empty()) return MissingParameter("MetricData");
  std::vector<store::MetricDatum> data;
  const auto add = [&](const std::vector<Json>& list, const std::string& path) -> Reply<Json> {
    for (size_t i = 0; i < list.size(); ++i) {
      HEADRACE_REPLY_PASS(const Json added,
                          AddDatum(list[i], fmt::format("{}.member.{}", path, i + 1), call, name_space, data));
    }
    return Json::object();
  };
  HEADRACE_REPLY_PASS(const Json added, add(plain, "MetricData"));
  for (size_t i = 0; i < entities.size(); ++i) {
    const std::string path = fmt::format("EntityMetricData.member.{}.MetricData", i + 1);
    HEADRACE_REPLY_PASS(const auto list, ListOf(entities[i], "MetricData", path, kMostData));
    HEADRACE_REPLY_PASS(const Json more, add(list, path));
  }
  HEADRACE_REPLY_TRY(metrics.Put(data));
  return Json::object();
}

}  // namespace headrace::api::cloudwatch
