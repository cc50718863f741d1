#include "api/console/columns.h"

#include <algorithm>

namespace headrace::api::console {

Grid Grid::Of(int64_t from, int64_t to, int64_t columns) {
  to = std::max(to, from + 1);
  return {from, to, std::max<int64_t>(1, (to - from + columns - 1) / columns)};
}

int64_t Grid::start() const {
  const int64_t behind = from % width;
  return from - (behind < 0 ? behind + width : behind);
}

void Curve::Add(int64_t x, const store::MetricSample& sample) {
  const double mean = sample.Mean();
  const double smoothed = smooths_ ? smoothing_.Next(mean) : 0;
  if (x < grid_.from || x >= grid_.to) return;
  ++samples_;
  if (x >= end_) {
    const int64_t number = (x - grid_.start()) / grid_.width;
    end_ = grid_.start() + (number + 1) * grid_.width;
    columns_.push_back({number, sample.time, mean, sample.minimum, sample.maximum, smoothed});
    return;
  }
  Column& column = columns_.back();
  column.time = sample.time;
  column.last = mean;
  column.minimum = std::min(column.minimum, sample.minimum);
  column.maximum = std::max(column.maximum, sample.maximum);
  column.smoothed = smoothed;
}

}  // namespace headrace::api::console
