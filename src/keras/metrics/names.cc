// Metrics by name: accuracies, losses as metrics, and those with a state of their own.
#include "base/result.h"
#include "keras/losses/formulas.h"
#include "keras/metrics/metric_state.h"

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

int BinaryAccuracyOf(GraphBuilder& b, int y, int p, float threshold) {
  y = b.Cast(FitTargets(b, "binary_accuracy", y, p), DType::kFloat32);
  return b.Mean(b.Binary(Binary::kEqual, y, b.Binary(Binary::kGreater, p, threshold)), {-1});
}

int CategoricalAccuracyOf(GraphBuilder& b, int y, int p) {
  y = FitTargets(b, "categorical_accuracy", y, p);
  return b.Binary(Binary::kEqual, b.ArgMax(b.Cast(y, DType::kFloat32)), Guess(b, p));
}

int SparseCategoricalAccuracyOf(GraphBuilder& b, int y, int p) {
  if (b.rank(y) == b.rank(p) && b.shape(y).dims().back() == 1) y = b.Squeeze(y, -1);
  return b.Binary(Binary::kEqual, b.Cast(y, DType::kFloat32), Guess(b, p));
}

// As Keras picks the one that goes with the output.
int AccuracyOf(GraphBuilder& b, int y, int p) {
  const int64_t last = b.shape(p).dims().back();
  if (last == 1) return BinaryAccuracyOf(b, y, p, 0.5f);
  const bool sparse = b.rank(y) < b.rank(p) || b.shape(y).dims().back() == 1;
  return sparse ? SparseCategoricalAccuracyOf(b, y, p) : CategoricalAccuracyOf(b, y, p);
}

std::shared_ptr<const MetricState> Function(const char* class_name, const std::string& name, MetricFunction values) {
  auto state = std::make_shared<MetricState>();
  state->class_name = class_name;
  state->name = name;
  state->values = std::move(values);
  state->accumulate = MakeMean;
  return state;
}

// A loss, as a metric: without its reduction.
std::shared_ptr<const MetricState> OfLoss(const std::string& name) {
  const auto loss = FindLoss(name);
  if (loss == nullptr) return nullptr;
  auto state = std::make_shared<MetricState>();
  state->class_name = loss->class_name;
  state->name = name == loss->class_name ? loss->name : name;
  state->any_shape = loss->classes;
  state->values = [loss](GraphBuilder& b, int y, int p) {
    if (loss->classes) return loss->values(b, y, p);
    return loss->values(b, b.Cast(FitTargets(b, loss->name, y, p), DType::kFloat32), p);
  };
  state->accumulate = MakeMean;
  return state;
}

}  // namespace

std::unique_ptr<Accumulator> MakeMean() { return std::make_unique<Mean>(); }

std::shared_ptr<const MetricState> FindMetric(const std::string& name) {
  if (name == "accuracy" || name == "acc") return Function("Accuracy", name, AccuracyOf);
  if (name == "binary_accuracy" || name == "BinaryAccuracy")
    return Function("BinaryAccuracy", "binary_accuracy",
                    [](GraphBuilder& b, int y, int p) { return BinaryAccuracyOf(b, y, p, 0.5f); });
  if (name == "categorical_accuracy" || name == "CategoricalAccuracy")
    return Function("CategoricalAccuracy", "categorical_accuracy", CategoricalAccuracyOf);
  if (name == "sparse_categorical_accuracy" || name == "SparseCategoricalAccuracy")
    return Function("SparseCategoricalAccuracy", "sparse_categorical_accuracy", SparseCategoricalAccuracyOf);
  if (name == "cosine_similarity" || name == "CosineSimilarity")  // the metric has the other sign
    return Function("CosineSimilarity", "cosine_similarity", [](GraphBuilder& b, int y, int p) {
      return CosineSimilarityOf(b, b.Cast(FitTargets(b, "cosine_similarity", y, p), DType::kFloat32), p, -1);
    });
  return OfLoss(name);
}

}  // namespace internal

Metric::Metric(const char* name) : state_(internal::FindMetric(name)) {
  if (state_ == nullptr)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "metric: found \"{}\", wanted \"accuracy\", \"binary_accuracy\", \"categorical_accuracy\", "
                    "\"sparse_categorical_accuracy\", or the name of a loss",
                    name);
}
const std::string& Metric::name() const { return state_->name; }

}  // namespace headrace::keras
