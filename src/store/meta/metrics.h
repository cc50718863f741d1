// CloudWatch's store: every sample as it came, at millisecond resolution; aggregation happens when somebody reads.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/database.h"
#include "store/meta/metric_sample.h"

namespace headrace::store {

using Dimensions = std::map<std::string, std::string>;  // name to value; sorted, so equal sets are equal

// What a series is known by.
struct MetricKey {
  std::string account_id, name_space, name;
  Dimensions dimensions;
  auto operator<=>(const MetricKey&) const = default;
};

struct MetricSeries {
  int64_t id = 0;
  MetricKey key;
  UnixMillis first = 0, last = 0;  // times of its samples
  int64_t samples = 0;
};

struct MetricDatum {
  MetricKey key;
  MetricSample sample;
};

class Metrics {
 public:
  explicit Metrics(Database& database) : database_(database) {}

  // Series come into being with their first sample. Samples with a NaN or an infinity are left out, as CloudWatch
  // cannot hold them.
  Status Put(std::span<const MetricDatum> data);
  static Status PutIn(Connection& db, std::span<const MetricDatum> data);

  // Exactly this name and dimension set.
  Result<std::optional<MetricSeries>> Find(const MetricKey& key);

  // A dimension with a value, or with any.
  struct DimensionFilter {
    std::string name;
    std::optional<std::string> value;
  };
  struct SeriesFilter {
    std::string account_id;
    std::string name_space, name;             // empty: any
    std::vector<DimensionFilter> dimensions;  // all must match; the series may have more
    UnixMillis active_since = std::numeric_limits<int64_t>::min();
    int64_t after_id = 0;  // the last one shown
    size_t limit = 0;      // 0: all
  };
  // In order of creation.
  Result<std::vector<MetricSeries>> List(const SeriesFilter& filter);

  // Samples in [from, to), in order of time, then arrival.
  using Visit = std::function<void(const MetricSample&)>;
  Status Read(int64_t series_id, UnixMillis from, UnixMillis to, const Visit& visit);
  // By their place in that order: those with a number in [from, to), of which the first is 0.
  Status ReadNumbers(int64_t series_id, int64_t from, int64_t to, const Visit& visit);

  // Deletes samples older than `horizon`, and series without any; at most about `limit` samples. For a timer.
  Result<int64_t> Expire(UnixMillis horizon, int64_t limit = 100'000);

 private:
  Database& database_;
};

}  // namespace headrace::store
