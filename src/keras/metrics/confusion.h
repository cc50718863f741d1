// Counts of right and wrong guesses by threshold: what Precision, Recall, AUC and their like are made of.
#pragma once

#include <cstdint>
#include <vector>

#include "keras/metrics/metric_state.h"

namespace headrace::keras::internal {

struct CountOptions {
  std::vector<float> thresholds;  // ascending
  bool even = false;              // by equal steps from 0 to 1: scores fall into buckets, as Keras's do
  int64_t top_k = 0;              // only the k largest scores of a row are positive; 0: all that are above a threshold
  int64_t class_id = -1;          // of the last axis; -1: all
  bool by_label = false;          // counts for each place of the last axis
  bool from_logits = false;
};

class ConfusionCounts {
 public:
  // One threshold's counts, weighted.
  struct Counts {
    double true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;
  };

  explicit ConfusionCounts(CountOptions options) : options_(std::move(options)) {}
  // Throws kInvalidArgument for targets that have not as many elements as the predictions.
  void Add(const MetricBatch& batch);
  // By threshold; `label` of options.by_label, else 0.
  std::vector<Counts> Of(size_t label = 0) const;
  size_t labels() const { return labels_.size(); }

 private:
  struct Buckets {  // weights of true and false labels by the number of thresholds that the score is above
    std::vector<double> right, wrong;
  };
  size_t BucketOf(float score) const;

  CountOptions options_;
  std::vector<Buckets> labels_;
};

}  // namespace headrace::keras::internal
