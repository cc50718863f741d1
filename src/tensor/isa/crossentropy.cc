// Crossentropy of a row of scores: loss and gradient, in one visit while it is in L1.
#include "tensor/isa/kernels.h"
#include "tensor/isa/row.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

constexpr float kEpsilon = 1e-7f;  // Keras's epsilon: probabilities are clipped to [epsilon, 1 - epsilon]
constexpr float kMost = 1.0f - kEpsilon;

I32 InsideClip(F32 p) { return (p >= Broadcast(kEpsilon)) & (p <= Broadcast(kMost)); }
F32 Clip(F32 p) { return Max(Min(p, Broadcast(kMost)), Broadcast(kEpsilon)); }

// One-hot targets of a row, smoothed; or the index of the right class, as a row that is 1 there.
class Target {
 public:
  Target(const CrossentropyArgs& args, int64_t row) {
    if (args.labels == Labels::kSparse) {
      index_ = static_cast<const int64_t*>(args.targets)[row];
      return;
    }
    row_ = static_cast<const float*>(args.targets) + row * args.classes;
    keep_ = 1.0f - args.label_smoothing;
    add_ = args.label_smoothing / static_cast<float>(args.classes);
  }

  template <typename Lanes>
  F32 At(int64_t i, Lanes lanes) const {
    if (row_ != nullptr) return MulAdd(Load(row_ + i, lanes), Broadcast(keep_), Broadcast(add_));
    return Where((I32)Iota() == static_cast<int32_t>(index_ - i), Broadcast(1.0f));
  }

 private:
  const float* row_ = nullptr;
  float keep_ = 1, add_ = 0;
  int64_t index_ = 0;
};

template <typename T>
class Row {
 public:
  Row(const CrossentropyArgs& args, int64_t row)
      : classes_(args.classes),
        target_(args, row),
        x_(static_cast<const T*>(args.scores) + row * args.classes),
        dx_(args.dscores == nullptr ? nullptr : static_cast<T*>(args.dscores) + row * args.classes),
        scale_(args.row_gradients != nullptr ? args.row_gradients[row] : 1.0f / static_cast<float>(args.rows)) {}

  // loss = -sum t (x - largest - log sum e^(x - largest)); gradient = softmax(x) - t
  float FromLogits() const {
    const float largest = LargestOfRow(x_, classes_);
    const float sum = SumOfExponentials(x_, classes_, largest);
    const float log_sum = Log(Broadcast(sum))[0];
    Gradient([&](F32 x, F32 t) { return Exp(x - largest) / sum - t; });
    return Sum([&](F32 x, F32 t) { return NotZero(t, t * (log_sum - (x - largest))); });
  }

  // p = x / sum x; loss = -sum t log clip(p); gradient by x through the clip (1 inside, 0 outside) and the division.
  float FromProbabilities() const {
    const float sum = Sum([](F32 x, F32) { return x; });
    const auto slope = [&](F32 x, F32 t) { return Where(InsideClip(x / sum), -t * sum / x); };
    const float dot = Sum([&](F32 x, F32 t) { return Where(InsideClip(x / sum), -t); });
    Gradient([&](F32 x, F32 t) { return (slope(x, t) - dot) / sum; });
    return Sum([&](F32 x, F32 t) { return -t * Log(Clip(x / sum)); });
  }

  // log clip(x) taken as logits, whose softmax is clip(x) / sum clip(x).
  float FromSparseProbabilities() const {
    const float sum = Sum([](F32 x, F32) { return Clip(x); });
    const float log_sum = Log(Broadcast(sum))[0];
    Gradient([&](F32 x, F32 t) { return Where(InsideClip(x), 1.0f / sum - t / x); });
    return Sum([&](F32 x, F32 t) { return t * (log_sum - Log(Clip(x))); });
  }

 private:
  // A class with target 0 adds nothing, even where its logit is minus infinity.
  static F32 NotZero(F32 t, F32 term) { return t == F32{} ? F32{} : term; }

  template <typename Term>
  float Sum(const Term& term) const {
    return SumOverRow(classes_, [&](int64_t i, auto lanes) { return term(Load(x_ + i, lanes), target_.At(i, lanes)); });
  }

  template <typename Slope>
  void Gradient(const Slope& slope) const {
    if (dx_ == nullptr) return;
    ForEachVector(classes_, [&](int64_t i, auto lanes) {
      Store(dx_ + i, slope(Load(x_ + i, lanes), target_.At(i, lanes)) * scale_, lanes);
    });
  }

  int64_t classes_;
  Target target_;
  const T* x_;
  T* dx_;
  float scale_;
};

template <typename T>
void ComputeRow(const CrossentropyArgs& args, int64_t index) {
  const Row<T> row(args, index);
  const float loss = args.from_logits                 ? row.FromLogits()
                     : args.labels == Labels::kSparse ? row.FromSparseProbabilities()
                                                      : row.FromProbabilities();
  if (args.losses != nullptr) args.losses[index] = loss;
}

}  // namespace

void Crossentropy(const CrossentropyArgs& args) {
  WithType(args.dtype, [&](auto element) {
    ParallelRanges(args.rows, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) ComputeRow<decltype(element)>(args, row);
    });
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
