#include "api/console/curves.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/console/columns.h"
#include "api/input.h"
#include "store/meta/metrics.h"

namespace headrace::api::console {
namespace {

using aws::Json;
using aws::Reply;

constexpr size_t kMostAsked = 100, kMostCurves = 200;
constexpr int64_t kMostColumns = 4000, kUsualColumns = 800;
constexpr double kFarSeconds = 253'402'300'800;  // the year 10,000; as steps, more than anybody takes

enum class Axis { kTime, kStep };

struct Asked {
  store::MetricKey key;   // without a name: all of these dimensions
  UnixMillis origin = 0;  // where its axis begins
};

struct Found {
  size_t asked = 0;
  UnixMillis origin = 0;
  store::MetricSeries series;
  int64_t first(Axis axis) const { return axis == Axis::kStep ? 1 : series.first - origin; }
  int64_t last(Axis axis) const { return axis == Axis::kStep ? series.samples : series.last - origin; }
};

// A number that a difference of two can be multiplied with.
Reply<std::optional<double>> NumberIn(const Json& input, const char* member) {
  const Json* given = cloudwatch::Find(input, member);
  if (given == nullptr) return std::nullopt;
  HEADRACE_REPLY_PASS(const double number, cloudwatch::NumberOf(*given, member));
  return std::clamp(number, -kFarSeconds, kFarSeconds);
}

Reply<std::vector<Asked>> AskedIn(const aws::Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto wanted, cloudwatch::ListOf(input, "Curves", "Curves", kMostAsked));
  std::vector<Asked> asked;
  for (const Json& curve : wanted) {
    Asked one{{call.caller.account_id, {}, {}, {}}};
    HEADRACE_REPLY_PASS(one.key.name_space, cloudwatch::NamespaceOf(curve, "Namespace"));
    HEADRACE_REPLY_PASS(const auto name, cloudwatch::OptionalText(curve, "MetricName", "MetricName", 255));
    HEADRACE_REPLY_PASS(one.key.dimensions, cloudwatch::DimensionsOf(curve, "Dimensions"));
    HEADRACE_REPLY_PASS(const auto origin, NumberIn(curve, "Origin"));
    one.key.name = name.value_or("");
    one.origin = std::llround(origin.value_or(0) * 1000);
    asked.push_back(std::move(one));
  }
  if (asked.empty()) return cloudwatch::MissingParameter("Curves");
  return asked;
}

Reply<Axis> AxisIn(const Json& input) {
  HEADRACE_REPLY_PASS(const auto name, cloudwatch::OptionalText(input, "Axis", "Axis", 16));
  if (!name || *name == "Time") return Axis::kTime;
  if (*name == "Step") return Axis::kStep;
  return cloudwatch::InvalidValue(fmt::format("Axis {}: wanted Time or Step.", *name));
}

Reply<int64_t> ColumnsIn(const Json& input) {
  HEADRACE_REPLY_PASS(const auto columns, cloudwatch::OptionalInteger(input, "Columns", "Columns"));
  if (columns && (*columns < 1 || *columns > kMostColumns))
    return cloudwatch::InvalidValue(fmt::format("Columns {}: wanted 1 to {}.", *columns, kMostColumns));
  return columns.value_or(kUsualColumns);
}

Reply<double> SmoothingIn(const Json& input) {
  HEADRACE_REPLY_PASS(const auto weight, NumberIn(input, "Smoothing"));
  if (weight && (*weight < 0 || *weight >= 1))
    return cloudwatch::InvalidValue(fmt::format("Smoothing {}: wanted 0 to below 1.", *weight));
  return weight.value_or(0);
}

Result<std::vector<store::MetricSeries>> SeriesOf(store::Metrics& metrics, const store::MetricKey& key) {
  if (!key.name.empty()) {
    HEADRACE_ASSIGN(auto one, metrics.Find(key));
    return one ? std::vector{*std::move(one)} : std::vector<store::MetricSeries>();
  }
  store::Metrics::SeriesFilter filter{key.account_id, key.name_space};
  for (const auto& [name, value] : key.dimensions) filter.dimensions.push_back({name, value});
  HEADRACE_ASSIGN(auto all, metrics.List(filter));
  std::erase_if(all, [&](const store::MetricSeries& one) { return one.key.dimensions != key.dimensions; });
  return all;
}

Reply<std::vector<Found>> Find(store::Metrics& metrics, const std::vector<Asked>& asked) {
  std::vector<Found> found;
  for (size_t i = 0; i < asked.size(); ++i) {
    HEADRACE_REPLY(auto series, SeriesOf(metrics, asked[i].key));
    for (store::MetricSeries& one : series) found.push_back({i, asked[i].origin, std::move(one)});
    if (found.size() > kMostCurves)
      return cloudwatch::InvalidValue(
          fmt::format("Curves: these are more than {} curves; ask for fewer at a time.", kMostCurves));
  }
  return found;
}

// What was asked for, or from the first sample to the last.
Reply<Grid> GridOf(const Json& input, Axis axis, const std::vector<Found>& found) {
  HEADRACE_REPLY_PASS(const auto from, NumberIn(input, "From"));
  HEADRACE_REPLY_PASS(const auto to, NumberIn(input, "To"));
  HEADRACE_REPLY_PASS(const int64_t columns, ColumnsIn(input));
  std::optional<int64_t> first, last;
  for (const Found& one : found) {
    first = std::min(first.value_or(one.first(axis)), one.first(axis));
    last = std::max(last.value_or(one.last(axis)), one.last(axis));
  }
  const auto whole = [&](double x) {
    return axis == Axis::kStep ? static_cast<int64_t>(std::ceil(x)) : std::llround(x * 1000);
  };
  return Grid::Of(from ? whole(*from) : first.value_or(0), to ? whole(*to) : last.value_or(0) + 1, columns);
}

// Only what is drawn is read, unless it is smoothed: then all that came before, too.
Result<Curve> Read(store::Metrics& metrics, const Found& found, Axis axis, const Grid& grid, double smoothing) {
  Curve curve(grid, smoothing);
  if (axis == Axis::kStep) {
    const int64_t begin = smoothing > 0 ? 0 : std::max<int64_t>(grid.from - 1, 0);
    int64_t step = begin;
    HEADRACE_TRY(metrics.ReadNumbers(found.series.id, begin, grid.to - 1,
                                     [&](const store::MetricSample& sample) { curve.Add(++step, sample); }));
  } else {
    const UnixMillis begin = smoothing > 0 ? INT64_MIN : grid.from + found.origin;
    HEADRACE_TRY(metrics.Read(found.series.id, begin, grid.to + found.origin, [&](const store::MetricSample& sample) {
      curve.Add(sample.time - found.origin, sample);
    }));
  }
  return curve;
}

template <typename ValueOf>
Json List(const std::vector<Column>& columns, const ValueOf& value_of) {
  Json::array_t list;
  list.reserve(columns.size());
  for (const Column& column : columns) list.emplace_back(value_of(column));
  return list;
}

Json Describe(const Found& found, const Curve& curve, bool smoothed) {
  const auto& columns = curve.columns();
  Json described{{"Curve", found.asked},
                 {"MetricName", found.series.key.name},
                 {"SampleCount", curve.samples()},
                 {"Columns", List(columns, [](const Column& column) { return column.number; })},
                 {"Times", List(columns, [](const Column& column) { return Seconds(column.time); })},
                 {"Values", List(columns, [](const Column& column) { return column.last; })}};
  const auto differ = [](const Column& column) { return column.minimum != column.maximum; };
  if (std::any_of(columns.begin(), columns.end(), differ)) {
    described["Minimums"] = List(columns, [](const Column& column) { return column.minimum; });
    described["Maximums"] = List(columns, [](const Column& column) { return column.maximum; });
  }
  if (smoothed) described["Smoothed"] = List(columns, [](const Column& column) { return column.smoothed; });
  return described;
}

}  // namespace

Reply<Json> GetMetricCurves(store::Database& database, const aws::Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto asked, AskedIn(call, input));
  HEADRACE_REPLY_PASS(const Axis axis, AxisIn(input));
  HEADRACE_REPLY_PASS(const double smoothing, SmoothingIn(input));
  store::Metrics metrics(database);
  HEADRACE_REPLY_PASS(const auto found, Find(metrics, asked));
  HEADRACE_REPLY_PASS(const Grid grid, GridOf(input, axis, found));
  const double unit = axis == Axis::kStep ? 1 : 1000;  // of x
  Json reply{{"Start", static_cast<double>(grid.start()) / unit},
             {"Width", static_cast<double>(grid.width) / unit},
             {"Curves", Json::array()}};
  for (const Found& one : found) {
    HEADRACE_REPLY(const Curve curve, Read(metrics, one, axis, grid, smoothing));
    reply["Curves"].push_back(Describe(one, curve, smoothing > 0));
  }
  return reply;
}

}  // namespace headrace::api::console
