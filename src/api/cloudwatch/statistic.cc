#include "api/cloudwatch/statistic.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace headrace::api::cloudwatch {
namespace {

// The value at a rank (0 is the smallest) of weighted values.
double AtRank(const std::map<double, double>& values, double rank) {
  double seen = 0;
  for (const auto& [value, weight] : values) {
    seen += weight;
    if (rank < seen) return value;
  }
  return values.rbegin()->first;
}

}  // namespace

std::optional<Statistic> ParseStatistic(std::string_view text) {
  using Kind = Statistic::Kind;
  if (text == "SampleCount") return Statistic{Kind::kSampleCount};
  if (text == "Average") return Statistic{Kind::kAverage};
  if (text == "Sum") return Statistic{Kind::kSum};
  if (text == "Minimum") return Statistic{Kind::kMinimum};
  if (text == "Maximum") return Statistic{Kind::kMaximum};
  if (text.size() < 2 || (text[0] != 'p' && text[0] != 'P')) return std::nullopt;
  Statistic statistic{Kind::kPercentile};
  const auto [end, error] =
      std::from_chars(text.data() + 1, text.data() + text.size(), statistic.percentile, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(statistic.percentile >= 0 && statistic.percentile <= 100)) return std::nullopt;
  return statistic;
}

void Bucket::Add(const store::MetricSample& sample, bool keep_values) {
  minimum_ = count_ == 0 ? sample.minimum : std::min(minimum_, sample.minimum);
  maximum_ = count_ == 0 ? sample.maximum : std::max(maximum_, sample.maximum);
  count_ += sample.count;
  sum_ += sample.sum;
  if (!keep_values) return;
  if (sample.minimum == sample.maximum) {
    values_[sample.minimum] += sample.count;
  } else {
    values_known_ = false;
  }
}

std::optional<double> Bucket::Value(const Statistic& statistic) const {
  switch (statistic.kind) {
    case Statistic::Kind::kSampleCount:
      return count_;
    case Statistic::Kind::kAverage:
      return count_ == 0 ? std::optional<double>() : sum_ / count_;
    case Statistic::Kind::kSum:
      return sum_;
    case Statistic::Kind::kMinimum:
      return minimum_;
    case Statistic::Kind::kMaximum:
      return maximum_;
    case Statistic::Kind::kPercentile:
      break;
  }
  if (!values_known_ || values_.empty()) return std::nullopt;
  const double rank = statistic.percentile / 100 * std::max(count_ - 1, 0.0);
  const double low = AtRank(values_, std::floor(rank)), high = AtRank(values_, std::ceil(rank));
  return low + (high - low) * (rank - std::floor(rank));
}

UnixMillis PeriodStart(UnixMillis time, UnixMillis period) { return time - time % period; }

Result<Buckets> Aggregate(store::Metrics& metrics, int64_t series, UnixMillis from, UnixMillis to, UnixMillis period,
                          const std::string& unit, bool keep_values) {
  Buckets buckets;
  from = PeriodStart(std::max<UnixMillis>(from, 0), period);
  to = PeriodStart(std::max<UnixMillis>(to, 1) - 1, period) + period;
  // Samples come in order of time, so the bucket is looked up once a period.
  UnixMillis start = -1;
  Bucket* bucket = nullptr;
  HEADRACE_TRY(metrics.Read(series, from, to, [&](const store::MetricSample& sample) {
    if (!unit.empty() && sample.unit != unit) return;
    if (const UnixMillis begins = PeriodStart(sample.time, period); begins != start || bucket == nullptr) {
      start = begins;
      bucket = &buckets[begins];
    }
    bucket->Add(sample, keep_values);
  }));
  return buckets;
}

}  // namespace headrace::api::cloudwatch
