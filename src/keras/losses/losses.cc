// The handles of losses: a formula, its options, and Keras's configuration of them.
#include <utility>

#include "base/result.h"
#include "keras/layers/config.h"
#include "keras/losses/formulas.h"

namespace headrace::keras {

std::string internal::LossReduction(const std::string& loss, const std::string& reduction) {
  if (reduction != "sum_over_batch_size" && reduction != "mean" && reduction != "sum" &&
      reduction != "mean_with_sample_weight")
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: reduction: found \"{}\", wanted \"sum_over_batch_size\" (or \"mean\"), \"sum\" or "
                    "\"mean_with_sample_weight\"",
                    loss, reduction);
  return reduction;
}

namespace {

using internal::LossFunction;
using internal::LossState;
using internal::ShortestDouble;
using nlohmann::json;
using B = GraphBuilder;

std::shared_ptr<LossState> Make(const char* class_name, std::string name, const std::string& reduction,
                                LossFunction values, json config = json::object()) {
  auto state = std::make_shared<LossState>();
  state->class_name = class_name;
  state->name = std::move(name);
  state->reduction = internal::LossReduction(state->name, reduction);
  state->values = std::move(values);
  state->config = std::move(config);
  return state;
}

std::string NameOr(const std::string& name, const char* otherwise) { return name.empty() ? otherwise : name; }

std::shared_ptr<LossState> Plain(const char* class_name, const char* name, const LossOptions& o, LossFunction values) {
  return Make(class_name, NameOr(o.name, name), o.reduction, std::move(values));
}

double Smoothing(float smoothing) {
  if (!(smoothing >= 0 && smoothing < 1))
    throw MakeError(ErrorCode::kInvalidArgument, "label_smoothing: found {}, wanted 0 <= label_smoothing < 1",
                    smoothing);
  return ShortestDouble(smoothing);
}

double Share(float q) {
  if (!(q > 0 && q < 1))
    throw MakeError(ErrorCode::kInvalidArgument, "categorical_generalized_cross_entropy: q: found {}, wanted 0 < q < 1",
                    q);
  return ShortestDouble(q);
}

json AxesConfig(const std::vector<int64_t>& axes) { return axes.empty() ? json() : json(axes); }

// Predictions of several classes, with targets like them, or with their numbers.
std::shared_ptr<LossState> OfClasses(std::shared_ptr<LossState> state) {
  state->needs_classes = true;
  return state;
}
std::shared_ptr<LossState> OfNumbers(std::shared_ptr<LossState> state) {
  state->needs_classes = state->classes = true;
  return state;
}

}  // namespace

MeanSquaredError::MeanSquaredError(LossOptions o)
    : Loss(Plain("MeanSquaredError", "mean_squared_error", o, internal::MeanSquaredErrorOf)) {}

MeanAbsoluteError::MeanAbsoluteError(LossOptions o)
    : Loss(Plain("MeanAbsoluteError", "mean_absolute_error", o, internal::MeanAbsoluteErrorOf)) {}

MeanAbsolutePercentageError::MeanAbsolutePercentageError(LossOptions o)
    : Loss(Plain("MeanAbsolutePercentageError", "mean_absolute_percentage_error", o,
                 internal::MeanAbsolutePercentageErrorOf)) {}

MeanSquaredLogarithmicError::MeanSquaredLogarithmicError(LossOptions o)
    : Loss(Plain("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", o,
                 internal::MeanSquaredLogarithmicErrorOf)) {}

LogCosh::LogCosh(LossOptions o) : Loss(Plain("LogCosh", "log_cosh", o, internal::LogCoshOf)) {}

Hinge::Hinge(LossOptions o) : Loss(Plain("Hinge", "hinge", o, internal::HingeOf)) {}

SquaredHinge::SquaredHinge(LossOptions o) : Loss(Plain("SquaredHinge", "squared_hinge", o, internal::SquaredHingeOf)) {}

CategoricalHinge::CategoricalHinge(LossOptions o)
    : Loss(Plain("CategoricalHinge", "categorical_hinge", o, internal::CategoricalHingeOf)) {}

KLDivergence::KLDivergence(LossOptions o) : Loss(Plain("KLDivergence", "kl_divergence", o, internal::KLDivergenceOf)) {}

Poisson::Poisson(LossOptions o) : Loss(Plain("Poisson", "poisson", o, internal::PoissonOf)) {}

CosineSimilarity::CosineSimilarity(CosineSimilarityOptions o)
    : Loss(Make(
          "CosineSimilarity", NameOr(o.name, "cosine_similarity"), o.reduction,
          [o](B& b, int y, int p) { return b.Neg(internal::CosineSimilarityOf(b, y, p, o.axis)); },
          json{{"axis", o.axis}})) {}

Huber::Huber(HuberOptions o)
    : Loss(Make(
          "Huber", NameOr(o.name, "huber_loss"), o.reduction,
          [o](B& b, int y, int p) { return internal::HuberOf(b, y, p, o.delta); },
          json{{"delta", ShortestDouble(o.delta)}})) {}

BinaryCrossentropy::BinaryCrossentropy(BinaryCrossentropyOptions o)
    : Loss(Make(
          "BinaryCrossentropy", NameOr(o.name, "binary_crossentropy"), o.reduction,
          [o](B& b, int y, int p) { return internal::BinaryCrossentropyOf(b, y, p, o); },
          json{{"from_logits", o.from_logits}, {"label_smoothing", Smoothing(o.label_smoothing)}})) {}

BinaryFocalCrossentropy::BinaryFocalCrossentropy(BinaryFocalCrossentropyOptions o)
    : Loss(Make(
          "BinaryFocalCrossentropy", NameOr(o.name, "binary_focal_crossentropy"), o.reduction,
          [o](B& b, int y, int p) { return internal::BinaryFocalCrossentropyOf(b, y, p, o); },
          json{{"apply_class_balancing", o.apply_class_balancing},
               {"alpha", ShortestDouble(o.alpha)},
               {"gamma", ShortestDouble(o.gamma)},
               {"from_logits", o.from_logits},
               {"label_smoothing", Smoothing(o.label_smoothing)}})) {}

CategoricalCrossentropy::CategoricalCrossentropy(CategoricalCrossentropyOptions o)
    : Loss(OfClasses(Make(
          "CategoricalCrossentropy", NameOr(o.name, "categorical_crossentropy"), o.reduction,
          [o](B& b, int y, int p) { return internal::CategoricalCrossentropyOf(b, y, p, o); },
          json{{"from_logits", o.from_logits}, {"label_smoothing", Smoothing(o.label_smoothing)}}))) {}

CategoricalFocalCrossentropy::CategoricalFocalCrossentropy(CategoricalFocalCrossentropyOptions o)
    : Loss(OfClasses(Make(
          "CategoricalFocalCrossentropy", NameOr(o.name, "categorical_focal_crossentropy"), o.reduction,
          [o](B& b, int y, int p) { return internal::CategoricalFocalCrossentropyOf(b, y, p, o); },
          json{{"alpha", ShortestDouble(o.alpha)},
               {"gamma", ShortestDouble(o.gamma)},
               {"from_logits", o.from_logits},
               {"label_smoothing", Smoothing(o.label_smoothing)}}))) {}

SparseCategoricalCrossentropy::SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions o)
    : Loss(OfNumbers(Make(
          "SparseCategoricalCrossentropy", NameOr(o.name, "sparse_categorical_crossentropy"), o.reduction,
          [o](B& b, int y, int p) { return internal::SparseCategoricalCrossentropyOf(b, y, p, o); },
          json{{"from_logits", o.from_logits}}))) {}

CategoricalGeneralizedCrossEntropy::CategoricalGeneralizedCrossEntropy(CategoricalGeneralizedCrossEntropyOptions o)
    : Loss(OfNumbers(Make(
          "CategoricalGeneralizedCrossEntropy", NameOr(o.name, "categorical_generalized_cross_entropy"), o.reduction,
          [o](B& b, int y, int p) { return internal::GeneralizedCrossEntropyOf(b, y, p, o.q); },
          json{{"q", Share(o.q)}}))) {}

Dice::Dice(DiceOptions o)
    : Loss(Make(
          "Dice", NameOr(o.name, "dice"), o.reduction,
          [o](B& b, int y, int p) { return internal::DiceOf(b, y, p, o.axis); }, json{{"axis", AxesConfig(o.axis)}})) {}

Tversky::Tversky(TverskyOptions o)
    : Loss(Make(
          "Tversky", NameOr(o.name, "tversky"), o.reduction,
          [o](B& b, int y, int p) { return internal::TverskyOf(b, y, p, o); },
          json{{"alpha", ShortestDouble(o.alpha)}, {"beta", ShortestDouble(o.beta)}, {"axis", AxesConfig(o.axis)}})) {}

}  // namespace headrace::keras
