// Metrics by name: accuracies, losses as metrics, and those with a state of their own.
#include <array>
#include <utility>

#include "base/result.h"
#include "keras/losses/formulas.h"
#include "keras/metrics/functions.h"

namespace headrace::keras {
namespace internal {
namespace {

using tensor::Binary;

class Mean final : public Accumulator {
 public:
  void Add(const MetricBatch& batch) override {
    sum_ += batch.sum;
    weight_ += batch.weight;
  }
  double Result() const override { return weight_ == 0 ? 0 : sum_ / weight_; }

 private:
  double sum_ = 0, weight_ = 0;
};

// The largest score is that of the largest logit.
int Guess(GraphBuilder& b, int y_pred) {
  const int logits = LogitsOf(b, y_pred);
  return b.ArgMax(logits >= 0 ? logits : y_pred);
}

int CategoricalAccuracyOf(GraphBuilder& b, int y, int p) {
  y = FitTargets(b, "categorical_accuracy", y, p);
  return b.Binary(Binary::kEqual, b.ArgMax(b.Cast(y, DType::kFloat32)), Guess(b, p));
}

// Numbers of classes [...] for predictions [..., classes].
int ClassNumbers(GraphBuilder& b, int y, int p) {
  if (b.rank(y) == b.rank(p) && b.shape(y).dims().back() == 1) y = b.Squeeze(y, -1);
  return b.Cast(y, DType::kFloat32);
}

int SparseCategoricalAccuracyOf(GraphBuilder& b, int y, int p) {
  return b.Binary(Binary::kEqual, ClassNumbers(b, y, p), Guess(b, p));
}

// As Keras picks the one that goes with the output.
int AccuracyOf(GraphBuilder& b, int y, int p) {
  const int64_t last = b.shape(p).dims().back();
  if (last == 1) return BinaryAccuracyOf(b, y, p, 0.5f);
  const bool sparse = b.rank(y) < b.rank(p) || b.shape(y).dims().back() == 1;
  return sparse ? SparseCategoricalAccuracyOf(b, y, p) : CategoricalAccuracyOf(b, y, p);
}

template <typename Class>
Metric Default() {
  return Class();
}

struct Entry {
  const char* class_name;
  const char* name;
  Metric (*make)();
};
const std::array<Entry, 13> kMetrics = {{
    {"AUC", "auc", Default<AUC>},
    {"Precision", "precision", Default<Precision>},
    {"Recall", "recall", Default<Recall>},
    {"TruePositives", "true_positives", Default<TruePositives>},
    {"FalsePositives", "false_positives", Default<FalsePositives>},
    {"TrueNegatives", "true_negatives", Default<TrueNegatives>},
    {"FalseNegatives", "false_negatives", Default<FalseNegatives>},
    {"F1Score", "f1_score", Default<F1Score>},
    {"FBetaScore", "fbeta_score", Default<FBetaScore>},
    {"R2Score", "r2_score", Default<R2Score>},
    {"RootMeanSquaredError", "root_mean_squared_error", Default<RootMeanSquaredError>},
    {"TopKCategoricalAccuracy", "top_k_categorical_accuracy", Default<TopKCategoricalAccuracy>},
    {"SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", Default<SparseTopKCategoricalAccuracy>},
}};

// A loss, as a metric: without its reduction.
std::shared_ptr<const MetricState> OfLoss(const std::shared_ptr<const LossState>& loss, const std::string& name) {
  return FunctionMetric(name, [loss](GraphBuilder& b, int y, int p) { return ValuesOf(*loss, b, y, p); });
}

}  // namespace

std::shared_ptr<const MetricState> FunctionMetric(const std::string& name, MetricFunction values) {
  auto state = std::make_shared<MetricState>();
  state->name = name;
  state->values = std::move(values);
  state->accumulate = MakeMean;
  return state;
}

int BinaryAccuracyOf(GraphBuilder& b, int y, int p, float threshold) {
  y = b.Cast(FitTargets(b, "binary_accuracy", y, p), DType::kFloat32);
  return b.Mean(b.Binary(Binary::kEqual, y, b.Binary(Binary::kGreater, p, threshold)), {-1});
}

int TopKAccuracyOf(GraphBuilder& b, int y, int p, int64_t k, bool sparse) {
  const int target = sparse ? ClassNumbers(b, y, p) : b.ArgMax(b.Cast(y, DType::kFloat32));
  const int score = b.Sum(b.Mul(OneHot(b, target, b.shape(p).dims().back()), p), {-1}, true);
  const int above = b.Sum(b.Binary(Binary::kGreater, p, score), {-1});
  return b.Binary(Binary::kLess, above, static_cast<float>(k));
}

std::unique_ptr<Accumulator> MakeMean() { return std::make_unique<Mean>(); }

std::shared_ptr<const MetricState> FindMetric(const std::string& name) {
  if (name == "accuracy" || name == "acc") return FunctionMetric(name, AccuracyOf);
  if (name == "binary_accuracy" || name == "BinaryAccuracy") return BinaryAccuracy().state();
  if (name == "categorical_accuracy" || name == "CategoricalAccuracy")
    return FunctionMetric("categorical_accuracy", CategoricalAccuracyOf);
  if (name == "sparse_categorical_accuracy" || name == "SparseCategoricalAccuracy")
    return FunctionMetric("sparse_categorical_accuracy", SparseCategoricalAccuracyOf);
  if (name == "cosine_similarity" || name == "CosineSimilarity")  // the metric has the other sign
    return FunctionMetric("cosine_similarity", [](GraphBuilder& b, int y, int p) {
      return CosineSimilarityOf(b, b.Cast(FitTargets(b, "cosine_similarity", y, p), DType::kFloat32), p, -1);
    });
  for (const Entry& entry : kMetrics)
    if (name == entry.class_name || name == entry.name) return entry.make().state();
  const auto loss = FindLoss(name);
  return loss == nullptr ? nullptr : OfLoss(loss, name == loss->class_name ? loss->name : name);
}

}  // namespace internal

Metric::Metric(const char* name) {
  if (const auto found = internal::FindMetric(name); found != nullptr) {
    auto state = std::make_shared<internal::MetricState>(*found);
    state->by_name = true;
    state_ = std::move(state);
    return;
  }
  std::string known;
  for (const auto& entry : internal::kMetrics) known += std::string(", \"") + entry.name + "\"";
  throw MakeError(ErrorCode::kInvalidArgument,
                  "metric: found \"{}\", wanted \"accuracy\", \"binary_accuracy\", \"categorical_accuracy\", "
                  "\"sparse_categorical_accuracy\"{}, or the name of a loss",
                  name, known);
}
Metric::Metric(const Loss& loss) : state_(internal::OfLoss(loss.state(), loss.name())) {}
const std::string& Metric::name() const { return state_->name; }

}  // namespace headrace::keras
