#include "api/console/curves.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/input.h"
#include "store/meta/metrics.h"

namespace headrace::api::console {
namespace {

using aws::Json;
using aws::Reply;

constexpr size_t kMostCurves = 100;
constexpr UnixMillis kFarMillis = 253'402'300'799'999;  // the end of the year 9999
constexpr int64_t kMostColumns = 4000, kUsualColumns = 800;

struct Interval {
  UnixMillis from = 0, to = 0;  // [from, to)
};

struct Column {
  UnixMillis time = 0;
  double last = 0, minimum = 0, maximum = 0;
  double smoothed = 0;  // the moving average up to `last`
};

struct Curve {
  std::vector<Column> columns;
  int64_t samples = 0;
};

Reply<std::vector<store::MetricKey>> KeysIn(const aws::Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto wanted, cloudwatch::ListOf(input, "Curves", "Curves", kMostCurves));
  std::vector<store::MetricKey> keys;
  for (const Json& curve : wanted) {
    store::MetricKey key{call.caller.account_id, {}, {}, {}};
    HEADRACE_REPLY_PASS(key.name_space, cloudwatch::NamespaceOf(curve, "Namespace"));
    HEADRACE_REPLY_PASS(key.name, cloudwatch::TextOf(curve, "MetricName", "MetricName", 255));
    HEADRACE_REPLY_PASS(key.dimensions, cloudwatch::DimensionsOf(curve, "Dimensions"));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return cloudwatch::MissingParameter("Curves");
  return keys;
}

Reply<double> WeightIn(const Json& input) {
  const Json* given = cloudwatch::Find(input, "Smoothing");
  if (given == nullptr) return 0.0;
  HEADRACE_REPLY_PASS(const double weight, cloudwatch::NumberOf(*given, "Smoothing"));
  if (weight < 0 || weight >= 1)
    return cloudwatch::InvalidValue(fmt::format("Smoothing {}: wanted 0 to below 1.", weight));
  return weight;
}

Reply<UnixMillis> TimeOr(const Json& input, const char* member, UnixMillis otherwise) {
  if (cloudwatch::Find(input, member) == nullptr) return otherwise;
  HEADRACE_REPLY_PASS(const UnixMillis time, cloudwatch::TimeOf(input, member, member));
  return std::clamp(time, -kFarMillis, kFarMillis);  // so that a difference times the columns is a number, too
}

// What was asked for, or from the first sample to the last.
Reply<Interval> IntervalOf(const Json& input, const std::vector<std::optional<store::MetricSeries>>& series) {
  std::optional<UnixMillis> first, last;
  for (const auto& one : series) {
    if (!one) continue;
    first = std::min(first.value_or(one->first), one->first);
    last = std::max(last.value_or(one->last), one->last);
  }
  Interval interval;
  HEADRACE_REPLY_PASS(interval.from, TimeOr(input, "StartTime", first.value_or(0)));
  HEADRACE_REPLY_PASS(interval.to, TimeOr(input, "EndTime", last.value_or(0) + 1));
  interval.to = std::max(interval.to, interval.from + 1);
  return interval;
}

// The exponential moving average that TensorBoard draws: without a bias towards 0 at the beginning.
class Smoothing {
 public:
  explicit Smoothing(double weight) : weight_(weight) {}
  double Next(double value) {
    sum_ = sum_ * weight_ + (1 - weight_) * value;
    remaining_ *= weight_;
    return sum_ / (1 - remaining_);
  }

 private:
  const double weight_;
  double sum_ = 0, remaining_ = 1;
};

// By column when there are more samples than columns; else sample by sample. Smoothing sees every sample.
Result<Curve> ReadCurve(store::Metrics& metrics, int64_t series, const Interval& interval, int64_t columns,
                        double weight) {
  const int64_t length = interval.to - interval.from;
  Curve curve;
  std::vector<Column> samples;  // until there are more than columns
  int64_t current = -1;
  Smoothing smoothing(weight);
  const auto add = [&](const Column& sample) {
    const int64_t column = (sample.time - interval.from) * columns / length;
    if (column != current) {
      current = column;
      curve.columns.push_back(sample);
      return;
    }
    Column& merged = curve.columns.back();
    merged = {sample.time, sample.last, std::min(merged.minimum, sample.minimum),
              std::max(merged.maximum, sample.maximum), sample.smoothed};
  };
  HEADRACE_TRY(metrics.Read(series, interval.from, interval.to, [&](const store::MetricSample& value) {
    const double mean = value.Mean();
    const Column sample{value.time, mean, value.minimum, value.maximum, smoothing.Next(mean)};
    if (++curve.samples <= columns) samples.push_back(sample);
    add(sample);
  }));
  if (curve.samples <= columns) curve.columns = std::move(samples);
  return curve;
}

Json Describe(const Curve& curve, bool by_column, bool smoothed) {
  Json times = Json::array(), values = Json::array(), minimums = Json::array(), maximums = Json::array();
  Json averages = Json::array();
  for (const Column& column : curve.columns) {
    times.push_back(Seconds(column.time));
    values.push_back(column.last);
    if (smoothed) averages.push_back(column.smoothed);
    if (!by_column) continue;
    minimums.push_back(column.minimum);
    maximums.push_back(column.maximum);
  }
  Json described{{"SampleCount", curve.samples}, {"Times", std::move(times)}, {"Values", std::move(values)}};
  if (smoothed) described["Smoothed"] = std::move(averages);
  if (by_column) {
    described["Minimums"] = std::move(minimums);
    described["Maximums"] = std::move(maximums);
  }
  return described;
}

}  // namespace

Reply<Json> GetMetricCurves(store::Database& database, const aws::Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto keys, KeysIn(call, input));
  HEADRACE_REPLY_PASS(const auto asked, cloudwatch::OptionalInteger(input, "Columns", "Columns"));
  const int64_t columns = asked.value_or(kUsualColumns);
  if (columns < 1 || columns > kMostColumns)
    return cloudwatch::InvalidValue(fmt::format("Columns {}: wanted 1 to {}.", columns, kMostColumns));
  HEADRACE_REPLY_PASS(const double weight, WeightIn(input));
  store::Metrics metrics(database);
  std::vector<std::optional<store::MetricSeries>> series;
  for (const auto& key : keys) {
    HEADRACE_REPLY(series.emplace_back(), metrics.Find(key));
  }
  HEADRACE_REPLY_PASS(const Interval interval, IntervalOf(input, series));
  Json reply{{"StartTime", Seconds(interval.from)}, {"EndTime", Seconds(interval.to)}, {"Curves", Json::array()}};
  for (const auto& one : series) {
    Curve curve;
    if (one) {
      HEADRACE_REPLY(curve, ReadCurve(metrics, one->id, interval, columns, weight));
    }
    reply["Curves"].push_back(Describe(curve, curve.samples > columns, weight > 0));
  }
  return reply;
}

}  // namespace headrace::api::console
