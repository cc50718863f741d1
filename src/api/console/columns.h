// The columns of a chart: what lies in each of a curve's many samples, so that a spike of one sample is seen at every
// zoom. Nothing is left out by chance.
#pragma once

#include <cstdint>
#include <vector>

#include "store/meta/metric_sample.h"

namespace headrace::api::console {

// Columns of one width, side by side, the same for every curve of a chart. x is in milliseconds or in steps. They begin
// at multiples of their width, so that a chart that grows keeps its columns until they become wider.
struct Grid {
  int64_t from = 0, to = 0;  // what is drawn: [from, to)
  int64_t width = 1;
  int64_t start() const;  // of the first column

  // At most `columns` of them, and one.
  static Grid Of(int64_t from, int64_t to, int64_t columns);
};

struct Column {
  int64_t number = 0;   // in the grid
  UnixMillis time = 0;  // of the last sample
  double last = 0, minimum = 0, maximum = 0;
  double smoothed = 0;  // the moving average up to the last sample
};

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

// Takes samples by rising x: those before the grid, too, when it smooths.
class Curve {
 public:
  Curve(const Grid& grid, double smoothing) : grid_(grid), smooths_(smoothing > 0), smoothing_(smoothing) {}

  void Add(int64_t x, const store::MetricSample& sample);

  int64_t samples() const { return samples_; }  // in the grid
  const std::vector<Column>& columns() const { return columns_; }

 private:
  const Grid grid_;
  const bool smooths_;
  Smoothing smoothing_;
  int64_t end_ = INT64_MIN;  // of the last column
  int64_t samples_ = 0;
  std::vector<Column> columns_;
};

}  // namespace headrace::api::console
