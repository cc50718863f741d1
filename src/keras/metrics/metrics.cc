// The handles of metrics with options, and the states of those that are no mean. Formulas: keras/src/metrics.
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/result.h"
#include "keras/losses/formulas.h"
#include "keras/metrics/confusion.h"
#include "keras/metrics/functions.h"
#include "keras/metrics/rows.h"

namespace headrace::keras {
namespace {

using internal::Accumulator;
using internal::ConfusionCounts;
using internal::CountOptions;
using internal::MetricBatch;
using internal::MetricState;
using internal::Rows;
using Counts = std::vector<ConfusionCounts::Counts>;

constexpr double kEpsilon = 1e-7;

double Divide(double a, double b) { return b == 0 ? 0 : a / b; }
double PrecisionOf(const ConfusionCounts::Counts& c) {
  return Divide(c.true_positives, c.true_positives + c.false_positives);
}
double RecallOf(const ConfusionCounts::Counts& c) {
  return Divide(c.true_positives, c.true_positives + c.false_negatives);
}
double FallOutOf(const ConfusionCounts::Counts& c) {
  return Divide(c.false_positives, c.false_positives + c.true_negatives);
}

std::string NameOr(const std::string& name, const char* otherwise) { return name.empty() ? otherwise : name; }

std::shared_ptr<const MetricState> Stateful(const std::string& given, const char* name,
                                            std::function<std::unique_ptr<Accumulator>()> accumulate) {
  auto state = std::make_shared<MetricState>();
  state->name = NameOr(given, name);
  state->accumulate = std::move(accumulate);
  return state;
}

// A number that follows from counts.
class OfCounts final : public Accumulator {
 public:
  using Formula = std::function<double(const ConfusionCounts&)>;
  OfCounts(const CountOptions& options, Formula formula) : counts_(options), formula_(std::move(formula)) {}
  void Add(const MetricBatch& batch) override { counts_.Add(batch); }
  double Result() const override { return formula_(counts_); }

 private:
  ConfusionCounts counts_;
  Formula formula_;
};

// Of the counts at one threshold.
std::shared_ptr<const MetricState> AtThreshold(const char* name, const ThresholdOptions& o,
                                               double (*formula)(const ConfusionCounts::Counts&)) {
  const float lowest = -1e10f;
  CountOptions counts{.thresholds = {o.top_k > 0 && o.threshold < 0 ? lowest
                                     : o.threshold < 0              ? 0.5f
                                                                    : o.threshold},
                      .top_k = o.top_k,
                      .class_id = o.class_id};
  if (o.top_k < 0) throw MakeError(ErrorCode::kInvalidArgument, "{}: top_k: found {}, wanted 1 or more", name, o.top_k);
  return Stateful(o.name, name, [counts, formula] {
    return std::make_unique<OfCounts>(counts, [formula](const ConfusionCounts& c) { return formula(c.Of()[0]); });
  });
}

std::vector<float> EvenThresholds(int64_t count, float beyond) {
  std::vector<float> thresholds = {-beyond};
  for (int64_t i = 1; i + 1 < count; ++i)
    thresholds.push_back(static_cast<float>(static_cast<double>(i) / static_cast<double>(count - 1)));
  thresholds.push_back(1 + beyond);
  return thresholds;
}

// ---------------------------------------------------------------------------------------------------------- AUC

double InterpolatedPrAuc(const Counts& c) {
  double area = 0;
  for (size_t i = 0; i + 1 < c.size(); ++i) {
    const double p0 = c[i].true_positives + c[i].false_positives,
                 p1 = c[i + 1].true_positives + c[i + 1].false_positives;
    const double gained = c[i].true_positives - c[i + 1].true_positives;
    const double slope = Divide(gained, std::max(p0 - p1, 0.0));
    const double intercept = c[i + 1].true_positives - slope * p1;
    const double ratio = p0 > 0 && p1 > 0 ? p0 / p1 : 1;
    area += Divide(slope * (gained + intercept * std::log(ratio)),
                   std::max(c[i + 1].true_positives + c[i + 1].false_negatives, 0.0));
  }
  return area;
}

double AreaOf(const Counts& c, const AUCOptions& o) {
  const bool pr = o.curve == "PR";
  if (pr && o.summation_method == "interpolation") return InterpolatedPrAuc(c);
  double area = 0;
  for (size_t i = 0; i + 1 < c.size(); ++i) {
    const auto x = [&](size_t k) { return pr ? RecallOf(c[k]) : FallOutOf(c[k]); };
    const auto y = [&](size_t k) { return pr ? PrecisionOf(c[k]) : RecallOf(c[k]); };
    const double height = o.summation_method == "minoring"   ? std::min(y(i), y(i + 1))
                          : o.summation_method == "majoring" ? std::max(y(i), y(i + 1))
                                                             : (y(i) + y(i + 1)) / 2;
    area += (x(i) - x(i + 1)) * height;
  }
  return area;
}

void RequireOneOf(const char* metric, const char* option, const std::string& found,
                  std::initializer_list<const char*> known) {
  std::string wanted;
  for (const char* name : known) {
    if (found == name) return;
    wanted += (wanted.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found \"{}\", wanted one of {}", metric, option, found, wanted);
}

std::shared_ptr<const MetricState> MakeAUC(const AUCOptions& o) {
  RequireOneOf("AUC", "curve", o.curve, {"ROC", "PR"});
  RequireOneOf("AUC", "summation_method", o.summation_method, {"interpolation", "minoring", "majoring"});
  if (o.num_thresholds < 2)
    throw MakeError(ErrorCode::kInvalidArgument, "AUC: num_thresholds: found {}, wanted 2 or more", o.num_thresholds);
  const CountOptions counts{.thresholds = EvenThresholds(o.num_thresholds, 1e-7f),
                            .even = true,
                            .by_label = o.multi_label,
                            .from_logits = o.from_logits};
  return Stateful(o.name, "auc", [counts, o] {
    return std::make_unique<OfCounts>(counts, [o](const ConfusionCounts& c) {
      double sum = 0;
      for (size_t label = 0; label < c.labels(); ++label) sum += AreaOf(c.Of(label), o);
      return Divide(sum, static_cast<double>(c.labels()));
    });
  });
}

// ---- the best of one rate where another one is at least so much

using Rate = double (*)(const ConfusionCounts::Counts&);
double SpecificityOf(const ConfusionCounts::Counts& c) {
  return Divide(c.true_negatives, c.true_negatives + c.false_positives);
}

std::shared_ptr<const MetricState> BestAt(const char* class_name, const char* name, const AtRateOptions& o, Rate best,
                                          Rate bounded) {
  if (!(o.value >= 0 && o.value <= 1) || o.num_thresholds < 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found a rate of {} and {} thresholds, wanted 0 to 1 and 1 or more", class_name, o.value,
                    o.num_thresholds);
  CountOptions counts{.thresholds = {0.5f}, .class_id = o.class_id};
  if (o.num_thresholds > 1) {
    counts.thresholds = EvenThresholds(o.num_thresholds, 0);
    counts.even = o.num_thresholds > 2;
  }
  return Stateful(o.name, name, [counts, best, bounded, at_least = o.value] {
    return std::make_unique<OfCounts>(counts, [=](const ConfusionCounts& c) {
      double found = 0;
      for (const auto& at : c.Of())
        if (bounded(at) >= static_cast<double>(at_least)) found = std::max(found, best(at));
      return found;
    });
  });
}

// --------------------------------------------------------------------------------------------------- FBetaScore

class FBeta final : public Accumulator {
 public:
  explicit FBeta(FBetaScoreOptions options) : options_(std::move(options)) {}

  void Add(const MetricBatch& batch) override {
    const Rows rows(batch);
    classes_.resize(options_.average == "micro" ? 1 : static_cast<size_t>(rows.width()));
    if (options_.average.empty() && classes_.size() > 1)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "f1_score: average: found none for {} classes, wanted \"micro\", \"macro\" or \"weighted\"",
                      classes_.size());
    for (int64_t row = 0; row < rows.count(); ++row) {
      const float* scores = rows.prediction(row);
      const float largest = *std::max_element(scores, scores + rows.width());
      for (int64_t i = 0; i < rows.width(); ++i) {
        const bool guess = options_.threshold > 0 ? scores[i] > options_.threshold
                                                  : scores[i] >= largest && std::abs(scores[i]) > 1e-9f;
        Class& c = classes_[classes_.size() == 1 ? 0 : static_cast<size_t>(i)];
        const double y = rows.target(row, i), p = guess ? 1 : 0, weight = rows.weight(row);
        c.true_positives += p * y * weight;
        c.false_positives += p * (1 - y) * weight;
        c.false_negatives += (1 - p) * y * weight;
        c.targets += y * weight;
      }
    }
  }

  double Result() const override {
    double sum = 0, weights = 0, all = 0;
    for (const Class& c : classes_) all += c.targets;
    const double beta2 = static_cast<double>(options_.beta) * options_.beta;
    for (const Class& c : classes_) {
      const double precision = c.true_positives / (c.true_positives + c.false_positives + kEpsilon);
      const double recall = c.true_positives / (c.true_positives + c.false_negatives + kEpsilon);
      const double score = precision * recall * (beta2 + 1) / (beta2 * precision + recall + kEpsilon);
      const double weight = options_.average == "weighted" ? c.targets / (all + kEpsilon) : 1;
      sum += score * weight;
      weights += weight;
    }
    return options_.average == "weighted" ? sum : Divide(sum, weights);
  }

 private:
  struct Class {
    double true_positives = 0, false_positives = 0, false_negatives = 0, targets = 0;
  };
  FBetaScoreOptions options_;
  std::vector<Class> classes_;
};

std::shared_ptr<const MetricState> MakeFBeta(const char* class_name, const char* name, const FBetaScoreOptions& o) {
  RequireOneOf(class_name, "average", o.average, {"", "micro", "macro", "weighted"});
  if (!(o.beta > 0)) throw MakeError(ErrorCode::kInvalidArgument, "{}: beta: found {}, wanted above 0", name, o.beta);
  return Stateful(o.name, name, [o] { return std::make_unique<FBeta>(o); });
}

// --------------------------------------------------------------------------------------------------- MeanIoU, R2

class IoU final : public Accumulator {
 public:
  explicit IoU(MeanIoUOptions options) : options_(std::move(options)) {
    const auto classes = static_cast<size_t>(options_.num_classes);
    table_.assign(classes, std::vector<double>(classes));
  }

  void Add(const MetricBatch& batch) override {
    const std::vector<int64_t> targets = ClassesOf(batch.y_true, options_.sparse_y_true);
    const std::vector<int64_t> guesses = ClassesOf(batch.y_pred, options_.sparse_y_pred);
    if (targets.size() != guesses.size())
      throw MakeError(ErrorCode::kInvalidArgument, "mean_io_u: found {} targets and {} predictions, wanted as many",
                      targets.size(), guesses.size());
    for (size_t i = 0; i < targets.size(); ++i) {
      const bool known = Known(targets[i]) && Known(guesses[i]) && targets[i] != options_.ignore_class;
      if (known) table_[static_cast<size_t>(targets[i])][static_cast<size_t>(guesses[i])] += 1;
    }
  }

  double Result() const override {
    double sum = 0, valid = 0;
    for (size_t i = 0; i < table_.size(); ++i) {
      double either = -table_[i][i];
      for (size_t k = 0; k < table_.size(); ++k) either += table_[i][k] + table_[k][i];
      if (either > 0) {
        sum += table_[i][i] / (either + kEpsilon);
        ++valid;
      }
    }
    return Divide(sum, valid);
  }

 private:
  bool Known(int64_t number) const { return number >= 0 && number < options_.num_classes; }

  static std::vector<int64_t> ClassesOf(const Tensor& tensor, bool sparse) {
    const Tensor numbers = tensor.Cast(DType::kFloat32);
    const int64_t width = sparse ? 1 : numbers.shape().dims().back();
    std::vector<int64_t> classes;
    for (int64_t row = 0; row < numbers.size() / width; ++row) {
      const float* at = numbers.data<float>() + row * width;
      classes.push_back(sparse ? static_cast<int64_t>(*at) : std::max_element(at, at + width) - at);
    }
    return classes;
  }

  MeanIoUOptions options_;
  std::vector<std::vector<double>> table_;  // [target][guess]
};

class R2 final : public Accumulator {
 public:
  explicit R2(std::string aggregation) : aggregation_(std::move(aggregation)) {}

  void Add(const MetricBatch& batch) override {
    const Rows rows(batch);
    columns_.resize(static_cast<size_t>(rows.width()));
    for (int64_t row = 0; row < rows.count(); ++row)
      for (int64_t i = 0; i < rows.width(); ++i) {
        Column& c = columns_[static_cast<size_t>(i)];
        const double y = rows.target(row, i), error = y - rows.prediction(row)[i], weight = rows.weight(row);
        c.sum += y * weight;
        c.squares += y * y * weight;
        c.errors += error * error * weight;
        c.count += weight;
      }
  }

  double Result() const override {
    double sum = 0, weights = 0;
    for (const Column& c : columns_) {
      const double total = c.squares - c.sum * Divide(c.sum, c.count);
      const double weight = aggregation_ == "variance_weighted_average" ? total : 1;
      const double score = 1 - c.errors / total;
      sum += (std::isfinite(score) ? score : 0) * weight;
      weights += weight;
    }
    return Divide(sum, weights);
  }

 private:
  struct Column {
    double sum = 0, squares = 0, errors = 0, count = 0;
  };
  std::string aggregation_;
  std::vector<Column> columns_;
};

class Root final : public Accumulator {
 public:
  void Add(const MetricBatch& batch) override { mean_->Add(batch); }
  double Result() const override { return std::sqrt(mean_->Result()); }

 private:
  std::unique_ptr<Accumulator> mean_ = internal::MakeMean();
};

std::shared_ptr<const MetricState> MakeRoot(const std::string& name) {
  auto state = std::make_shared<MetricState>();
  state->name = NameOr(name, "root_mean_squared_error");
  state->values = [](GraphBuilder& b, int y, int p) {
    y = b.Cast(internal::FitTargets(b, "root_mean_squared_error", y, p), DType::kFloat32);
    return b.Pointwise(tensor::Pointwise::kSquare, b.Sub(p, y));
  };
  state->accumulate = [] { return std::make_unique<Root>(); };
  return state;
}

double TruePositivesOf(const ConfusionCounts::Counts& c) { return c.true_positives; }
double FalsePositivesOf(const ConfusionCounts::Counts& c) { return c.false_positives; }
double TrueNegativesOf(const ConfusionCounts::Counts& c) { return c.true_negatives; }
double FalseNegativesOf(const ConfusionCounts::Counts& c) { return c.false_negatives; }

}  // namespace

Precision::Precision(ThresholdOptions o) : Metric(AtThreshold("precision", o, PrecisionOf)) {}
Recall::Recall(ThresholdOptions o) : Metric(AtThreshold("recall", o, RecallOf)) {}
TruePositives::TruePositives(ThresholdOptions o) : Metric(AtThreshold("true_positives", o, TruePositivesOf)) {}
FalsePositives::FalsePositives(ThresholdOptions o) : Metric(AtThreshold("false_positives", o, FalsePositivesOf)) {}
TrueNegatives::TrueNegatives(ThresholdOptions o) : Metric(AtThreshold("true_negatives", o, TrueNegativesOf)) {}
FalseNegatives::FalseNegatives(ThresholdOptions o) : Metric(AtThreshold("false_negatives", o, FalseNegativesOf)) {}
AUC::AUC(AUCOptions o) : Metric(MakeAUC(o)) {}
SensitivityAtSpecificity::SensitivityAtSpecificity(AtRateOptions o)
    : Metric(BestAt("SensitivityAtSpecificity", "sensitivity_at_specificity", o, RecallOf, SpecificityOf)) {}
SpecificityAtSensitivity::SpecificityAtSensitivity(AtRateOptions o)
    : Metric(BestAt("SpecificityAtSensitivity", "specificity_at_sensitivity", o, SpecificityOf, RecallOf)) {}
PrecisionAtRecall::PrecisionAtRecall(AtRateOptions o)
    : Metric(BestAt("PrecisionAtRecall", "precision_at_recall", o, PrecisionOf, RecallOf)) {}
RecallAtPrecision::RecallAtPrecision(AtRateOptions o)
    : Metric(BestAt("RecallAtPrecision", "recall_at_precision", o, RecallOf, PrecisionOf)) {}
FBetaScore::FBetaScore(FBetaScoreOptions o) : Metric(MakeFBeta("FBetaScore", "fbeta_score", o)) {}
F1Score::F1Score(F1ScoreOptions o)
    : Metric(MakeFBeta("F1Score", "f1_score", {.average = o.average, .threshold = o.threshold, .name = o.name})) {}
RootMeanSquaredError::RootMeanSquaredError(MetricOptions o) : Metric(MakeRoot(o.name)) {}
BinaryAccuracy::BinaryAccuracy(BinaryAccuracyOptions o)
    : Metric(internal::FunctionMetric(NameOr(o.name, "binary_accuracy"), [o](GraphBuilder& b, int y, int p) {
        return internal::BinaryAccuracyOf(b, y, p, o.threshold);
      })) {}
TopKCategoricalAccuracy::TopKCategoricalAccuracy(TopKOptions o)
    : Metric(internal::FunctionMetric(NameOr(o.name, "top_k_categorical_accuracy"), [o](GraphBuilder& b, int y, int p) {
        return internal::TopKAccuracyOf(b, y, p, o.k, false);
      })) {}
SparseTopKCategoricalAccuracy::SparseTopKCategoricalAccuracy(TopKOptions o)
    : Metric(internal::FunctionMetric(
          NameOr(o.name, "sparse_top_k_categorical_accuracy"),
          [o](GraphBuilder& b, int y, int p) { return internal::TopKAccuracyOf(b, y, p, o.k, true); })) {}
MeanIoU::MeanIoU(MeanIoUOptions o)
    : Metric([&] {
        if (o.num_classes < 1)
          throw MakeError(ErrorCode::kInvalidArgument, "MeanIoU: num_classes: found {}, wanted 1 or more",
                          o.num_classes);
        return Stateful(o.name, "mean_io_u", [o] { return std::make_unique<IoU>(o); });
      }()) {}
R2Score::R2Score(R2ScoreOptions o)
    : Metric([&] {
        RequireOneOf("R2Score", "class_aggregation", o.class_aggregation,
                     {"uniform_average", "variance_weighted_average"});
        return Stateful(o.name, "r2_score", [o] { return std::make_unique<R2>(o.class_aggregation); });
      }()) {}

}  // namespace headrace::keras
