// What a metric is made of.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"

namespace headrace::store {

// A measurement, or a set of them that somebody has already summed up. For one value: count 1, the rest the value.
struct MetricSample {
  UnixMillis time = 0;
  double count = 1, sum = 0, minimum = 0, maximum = 0;
  std::string unit = "None";
  static MetricSample Of(UnixMillis time, double value, std::string unit = "None", double count = 1) {
    return {time, count, value * count, value, value, std::move(unit)};
  }
  // Fewer than one sample (a weight of CloudWatch's) has its sum for a mean.
  double Mean() const { return count > 0 ? sum / count : sum; }
  bool operator==(const MetricSample&) const = default;
};

}  // namespace headrace::store
