#include "keras/metrics/confusion.h"

#include <algorithm>
#include <cmath>

#include "keras/metrics/rows.h"

namespace headrace::keras::internal {

size_t ConfusionCounts::BucketOf(float score) const {
  const size_t count = options_.thresholds.size();
  if (!options_.even)
    return static_cast<size_t>(std::lower_bound(options_.thresholds.begin(), options_.thresholds.end(), score) -
                               options_.thresholds.begin());
  const float clipped = std::min(std::max(score, 0.0f), 1.0f);
  const float bucket = std::ceil(clipped * static_cast<float>(count - 1)) - 1;
  return static_cast<size_t>(std::max(bucket, 0.0f)) + 1;
}

void ConfusionCounts::Add(const MetricBatch& batch) {
  const Rows rows(batch);
  labels_.resize(options_.by_label ? static_cast<size_t>(rows.width()) : 1);
  for (Buckets& buckets : labels_) {
    buckets.right.resize(options_.thresholds.size() + 1);
    buckets.wrong.resize(options_.thresholds.size() + 1);
  }
  std::vector<float> scores;
  for (int64_t row = 0; row < rows.count(); ++row) {
    scores.assign(rows.prediction(row), rows.prediction(row) + rows.width());
    if (options_.from_logits)
      for (float& score : scores) score = 1 / (1 + std::exp(-score));
    if (options_.top_k > 0) rows.KeepLargest(scores, options_.top_k);
    for (int64_t i = 0; i < rows.width(); ++i) {
      if (options_.class_id >= 0 && i != options_.class_id) continue;
      Buckets& buckets = labels_[options_.by_label ? static_cast<size_t>(i) : 0];
      auto& side = rows.target(row, i) != 0 ? buckets.right : buckets.wrong;
      side[BucketOf(scores[static_cast<size_t>(i)])] += rows.weight(row);
    }
  }
}

// A score in bucket b is above the thresholds 0 .. b - 1.
std::vector<ConfusionCounts::Counts> ConfusionCounts::Of(size_t label) const {
  std::vector<Counts> counts(options_.thresholds.size());
  if (label >= labels_.size()) return counts;
  const Buckets& buckets = labels_[label];
  double right = 0, wrong = 0, all_right = 0, all_wrong = 0;
  for (const double weight : buckets.right) all_right += weight;
  for (const double weight : buckets.wrong) all_wrong += weight;
  for (size_t i = counts.size(); i-- > 0;) {
    right += buckets.right[i + 1];
    wrong += buckets.wrong[i + 1];
    counts[i] = {right, wrong, all_wrong - wrong, all_right - right};
  }
  return counts;
}

}  // namespace headrace::keras::internal
