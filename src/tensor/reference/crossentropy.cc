// Categorical and sparse crossentropy, as Keras 3 computes them.
#include <algorithm>
#include <cmath>

#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {
namespace {

constexpr double kEpsilon = 1e-7;  // keras.config.epsilon(): probabilities are clipped to [epsilon, 1 - epsilon]

struct RowResult {
  double loss;
  std::vector<double> gradient;  // of this row's loss by its scores
};

size_t IndexOfLargest(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

// softmax(logits), and the logarithm of it by way of log(sum(exp)).
RowResult FromLogits(const std::vector<double>& logits, const std::vector<double>& target) {
  const double largest = logits[IndexOfLargest(logits)];
  double sum = 0;
  for (double logit : logits) sum += std::exp(logit - largest);
  RowResult result{0, {}};
  for (size_t i = 0; i < logits.size(); ++i) {
    result.loss -= target[i] * (logits[i] - largest - std::log(sum));
    result.gradient.push_back(std::exp(logits[i] - largest) / sum - target[i]);
  }
  return result;
}

bool InsideClip(double p) { return p >= kEpsilon && p <= 1 - kEpsilon; }
double Clip(double p) { return std::clamp(p, kEpsilon, 1 - kEpsilon); }

// p = scores / sum(scores), clipped; loss = -sum(t log p). The gradient of the clip is 1 inside, 0 outside.
RowResult FromProbabilities(const std::vector<double>& scores, const std::vector<double>& target) {
  double sum = 0;
  for (double score : scores) sum += score;
  RowResult result{0, {}};
  double dot = 0;  // sum of dloss/dp * p
  std::vector<double> by_p;
  for (size_t i = 0; i < scores.size(); ++i) {
    const double p = scores[i] / sum;
    result.loss -= target[i] * std::log(Clip(p));
    by_p.push_back(InsideClip(p) ? -target[i] / p : 0);
    dot += by_p.back() * p;
  }
  for (double slope : by_p) result.gradient.push_back((slope - dot) / sum);
  return result;
}

// Keras takes log(clip(scores)) as logits: the softmax in the loss then divides by their sum.
RowResult FromSparseProbabilities(const std::vector<double>& scores, const std::vector<double>& target) {
  std::vector<double> logits;
  for (double score : scores) logits.push_back(std::log(Clip(score)));
  RowResult result = FromLogits(logits, target);
  for (size_t i = 0; i < scores.size(); ++i) {
    result.gradient[i] = InsideClip(scores[i]) ? result.gradient[i] / scores[i] : 0;
  }
  return result;
}

std::vector<double> ReadTarget(const CrossentropyArgs& args, int64_t row) {
  std::vector<double> target(args.classes, 0.0);
  if (args.labels == Labels::kSparse) {
    target[static_cast<const int64_t*>(args.targets)[row]] = 1;
  } else {
    for (int64_t i = 0; i < args.classes; ++i) {
      target[i] = static_cast<const float*>(args.targets)[row * args.classes + i];
    }
  }
  return target;
}

}  // namespace

void ReferenceBackend::Crossentropy(const CrossentropyArgs& args) const {
  for (int64_t row = 0; row < args.rows; ++row) {
    std::vector<double> scores;
    for (int64_t i = 0; i < args.classes; ++i) scores.push_back(Read(args.scores, args.dtype, row * args.classes + i));
    std::vector<double> target = ReadTarget(args, row);
    if (args.labels == Labels::kOneHot) {
      const double smoothing = args.label_smoothing;
      for (double& t : target) t = t * (1 - smoothing) + smoothing / static_cast<double>(args.classes);
    }
    const RowResult result = args.from_logits                 ? FromLogits(scores, target)
                             : args.labels == Labels::kSparse ? FromSparseProbabilities(scores, target)
                                                              : FromProbabilities(scores, target);
    if (args.losses != nullptr) args.losses[row] = static_cast<float>(result.loss);
    if (args.dscores == nullptr) continue;
    const double scale = args.row_gradients != nullptr ? args.row_gradients[row] : 1.0 / static_cast<double>(args.rows);
    for (int64_t i = 0; i < args.classes; ++i) {
      Write(args.dscores, args.dtype, row * args.classes + i, result.gradient[i] * scale);
    }
  }
}

}  // namespace headrace::tensor::reference
