// Statistics over the samples of a period.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

struct Statistic {
  enum class Kind { kSampleCount, kAverage, kSum, kMinimum, kMaximum, kPercentile };
  Kind kind = Kind::kAverage;
  double percentile = 0;  // 0 to 100
};

// "Average", "SampleCount"…, "p99", "p99.9".
std::optional<Statistic> ParseStatistic(std::string_view text);

// The samples of one period.
class Bucket {
 public:
  void Add(const store::MetricSample& sample, bool keep_values);
  // nullopt for a percentile when somebody has put in statistic sets, which do not tell their values.
  std::optional<double> Value(const Statistic& statistic) const;

 private:
  double count_ = 0, sum_ = 0, minimum_ = 0, maximum_ = 0;
  bool values_known_ = true;
  std::map<double, double> values_;  // value to how often; only kept for percentiles
};

// Buckets by the time their period starts. Periods start at multiples of their length since 1970, so the same sample is
// always in the same bucket, whatever interval was asked for.
using Buckets = std::map<UnixMillis, Bucket>;

// The start of the period that holds `time`, which is not negative.
UnixMillis PeriodStart(UnixMillis time, UnixMillis period);

// All samples of the periods that [from, to) touches, of `unit` or, when that is empty, of any.
Result<Buckets> Aggregate(store::Metrics& metrics, int64_t series, UnixMillis from, UnixMillis to, UnixMillis period,
                          const std::string& unit, bool keep_values);

}  // namespace headrace::api::cloudwatch
