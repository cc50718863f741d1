// A batch's targets, predictions and weights, row by row, as metrics with a state read them.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "base/result.h"
#include "keras/metrics/metric_state.h"

namespace headrace::keras::internal {

class Rows {
 public:
  // Rows are those of the predictions' last axis; targets have as many elements. Throws kInvalidArgument.
  explicit Rows(const MetricBatch& batch) : batch_(batch), targets_(batch.y_true.Cast(DType::kFloat32)) {
    const Shape& shape = batch.y_pred.shape();
    width_ = shape.rank() < 2 ? 1 : shape.dims().back();
    count_ = width_ == 0 ? 0 : batch.y_pred.size() / width_;
    if (targets_.size() != batch.y_pred.size())
      throw MakeError(ErrorCode::kInvalidArgument,
                      "metric: found targets of shape {} for predictions of shape {}, wanted equal shapes",
                      batch.y_true.shape().ToString(), shape.ToString());
  }

  int64_t count() const { return count_; }
  int64_t width() const { return width_; }
  const float* prediction(int64_t row) const { return batch_.y_pred.data<float>() + row * width_; }
  const float* targets(int64_t row) const { return targets_.data<float>() + row * width_; }
  float target(int64_t row, int64_t i) const { return targets(row)[i]; }
  // A sample's weight is that of all its rows.
  double weight(int64_t row) const {
    if (!batch_.weights.defined()) return 1;
    return batch_.weights.data<float>()[row * batch_.weights.size() / count_];
  }

  // All but the k largest become the lowest number; of equal ones the first stay.
  void KeepLargest(std::vector<float>& scores, int64_t k) const {
    std::vector<size_t> order(scores.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    for (size_t i = static_cast<size_t>(k); i < order.size(); ++i)
      scores[order[i]] = std::numeric_limits<float>::lowest();
  }

 private:
  const MetricBatch& batch_;
  Tensor targets_;
  int64_t count_ = 0, width_ = 1;
};

}  // namespace headrace::keras::internal
