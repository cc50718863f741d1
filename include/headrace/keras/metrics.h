// headrace/keras/metrics.h: Keras's metrics. Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "headrace/keras/losses.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct MetricState;
}  // namespace internal

struct MetricOptions {
  std::string name = "";
};

// What is counted beside the loss, over all rows of an epoch or of evaluate(). "accuracy" is the accuracy that goes
// with the output: binary for one number a row, sparse where targets are numbers of classes, else categorical.
class Metric {
 public:
  // Keras's names and short names: "accuracy", "mae", "binary_accuracy", "AUC", …, and those of losses.
  Metric(const char* name);
  Metric(const std::string& name) : Metric(name.c_str()) {}
  Metric(const Loss& loss);  // its values' mean
  // One's own: the mean of a function of y_true and y_pred with the operations of headrace/ops.h. Named "metric" unless
  // options say otherwise.
  template <typename Function>
  requires(std::is_invocable_r_v<KerasTensor, Function, const KerasTensor&, const KerasTensor&>)
      Metric(Function function, MetricOptions options = {})
      : Metric(OwnFunction{std::move(function)}, Own{}, std::move(options)) {}
  const std::string& name() const;  // as the logs have it

  const std::shared_ptr<const internal::MetricState>& state() const { return state_; }

 protected:
  explicit Metric(std::shared_ptr<const internal::MetricState> state) : state_(std::move(state)) {}

 private:
  using OwnFunction = std::function<KerasTensor(const KerasTensor&, const KerasTensor&)>;
  struct Own {};
  Metric(OwnFunction function, Own, MetricOptions options);
  std::shared_ptr<const internal::MetricState> state_;
};

class RootMeanSquaredError : public Metric {
 public:
  explicit RootMeanSquaredError(MetricOptions options = {});
};
struct BinaryAccuracyOptions {
  float threshold = 0.5f;
  std::string name = "";
};
class BinaryAccuracy : public Metric {
 public:
  explicit BinaryAccuracy(BinaryAccuracyOptions options = {});
};
struct TopKOptions {
  int64_t k = 5;
  std::string name = "";
};
class TopKCategoricalAccuracy : public Metric {
 public:
  explicit TopKCategoricalAccuracy(TopKOptions options = {});
};
class SparseTopKCategoricalAccuracy : public Metric {
 public:
  explicit SparseTopKCategoricalAccuracy(TopKOptions options = {});
};
struct ThresholdOptions {
  float threshold = -1;   // scores above it are positive; -1: 0.5, or any with top_k
  int64_t top_k = 0;      // only the largest scores of a row are positive; 0: all
  int64_t class_id = -1;  // of the last axis; -1: all
  std::string name = "";
};
class Precision : public Metric {
 public:
  explicit Precision(ThresholdOptions options = {});
};
class Recall : public Metric {
 public:
  explicit Recall(ThresholdOptions options = {});
};
class TruePositives : public Metric {
 public:
  explicit TruePositives(ThresholdOptions options = {});
};
class FalsePositives : public Metric {
 public:
  explicit FalsePositives(ThresholdOptions options = {});
};
class TrueNegatives : public Metric {
 public:
  explicit TrueNegatives(ThresholdOptions options = {});
};
class FalseNegatives : public Metric {
 public:
  explicit FalseNegatives(ThresholdOptions options = {});
};
struct AUCOptions {
  int64_t num_thresholds = 200;
  std::string curve = "ROC";                       // or "PR"
  std::string summation_method = "interpolation";  // "minoring", "majoring"
  bool multi_label = false;                        // the mean over the places of the last axis
  bool from_logits = false;
  std::string name = "";
};
class AUC : public Metric {  // of the curve through num_thresholds points
 public:
  explicit AUC(AUCOptions options = {});
};
struct AtRateOptions {
  float value = 0.5f;  // the rate that is given
  int64_t num_thresholds = 200;
  int64_t class_id = -1;
  std::string name = "";
};
class SensitivityAtSpecificity : public Metric {
 public:
  explicit SensitivityAtSpecificity(AtRateOptions options = {});
};
class SpecificityAtSensitivity : public Metric {
 public:
  explicit SpecificityAtSensitivity(AtRateOptions options = {});
};
class PrecisionAtRecall : public Metric {
 public:
  explicit PrecisionAtRecall(AtRateOptions options = {});
};
class RecallAtPrecision : public Metric {
 public:
  explicit RecallAtPrecision(AtRateOptions options = {});
};
struct FBetaScoreOptions {
  std::string average = "";  // over classes: "micro", "macro", "weighted"; none goes with one class
  float beta = 1;
  float threshold = 0;  // 0: the largest score of a row is positive
  std::string name = "";
};
class FBetaScore : public Metric {
 public:
  explicit FBetaScore(FBetaScoreOptions options = {});
};
struct F1ScoreOptions {
  std::string average = "";
  float threshold = 0;
  std::string name = "";
};
class F1Score : public Metric {
 public:
  explicit F1Score(F1ScoreOptions options = {});
};
struct MeanIoUOptions {
  int64_t num_classes = 0;
  int64_t ignore_class = -1;
  bool sparse_y_true = true, sparse_y_pred = true;  // numbers of classes; false: one score a class, the largest counts
  std::string name = "";
};
class MeanIoU : public Metric {
 public:
  explicit MeanIoU(MeanIoUOptions options);
};
struct R2ScoreOptions {
  std::string class_aggregation = "uniform_average";  // or "variance_weighted_average"
  std::string name = "";
};
class R2Score : public Metric {
 public:
  explicit R2Score(R2ScoreOptions options = {});
};

}  // namespace headrace::keras
