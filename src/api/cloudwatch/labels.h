// Labels of time series that nobody has labelled: they say what tells the series of one answer apart.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/cloudwatch/metric_queries.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

// All that a label may say of a series.
struct SeriesName {
  store::MetricKey key;
  std::string statistic, unit;
  UnixMillis period = 0;
};

enum class MetricNameIn { kLabelsThatNeedIt, kEveryLabel };

// In the order given. A part (namespace, dimensions, name, statistic, period, unit) appears where it differs.
std::vector<std::string> DistinctLabels(const std::vector<SeriesName>& series, MetricNameIn names);

// By id, of those queries of a metric that have no label of their own. `returned`: only of those that return data.
std::map<std::string, std::string> LabelsOf(const std::vector<MetricQuery>& queries, bool returned);

}  // namespace headrace::api::cloudwatch
