// BatchNormalization, ReLU, MaxPooling2D and Dropout in one pass: each element of x is read once, y written once.
#include "tensor/isa/epilogue.h"
#include "tensor/isa/kernels.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

template <typename Traits>
class Forward {
 public:
  using T = typename Traits::T;

  Forward(const EpilogueDesc& desc, const EpilogueForwardArgs& args)
      : walk_(desc),
        c_(desc.c),
        args_(args),
        x_(static_cast<const T*>(args.x)),
        y_(static_cast<T*>(args.y)),
        dropout_(args.dropout) {}

  void Run() const {
    ParallelRanges(walk_.runs(), [this](int64_t begin, int64_t end, int) {
      for (int64_t run = begin; run < end; ++run) RunOne(walk_.Run(run));
    });
  }

 private:
  void RunOne(const EpilogueRun& run) const {
    for (int64_t pixel = 0; pixel < run.count; ++pixel) {
      const T* window = x_ + (run.input + pixel * walk_.pool_w()) * c_;
      const int64_t out = (run.first + pixel) * c_;
      ForEachVector(c_, [&](int64_t channel, auto lanes) {
        F32 value = Largest(window + channel, channel, lanes);
        if constexpr (Traits::kRelu) value = Relu(value);
        if constexpr (Traits::kDropout) value = dropout_.Apply(out + channel, value);
        Store(y_ + out + channel, value, lanes);
      });
    }
  }

  template <typename Lanes>
  F32 Largest(const T* window, int64_t channel, Lanes lanes) const {
    const Normalizer<Traits, Lanes> normalize(args_.scale, args_.shift, channel, lanes);
    PrefetchAhead(window);
    F32 best = normalize(Load(window, lanes));
    if constexpr (Traits::kPool != 1) {
      for (int64_t row = 0; row < walk_.pool_h(); ++row) {
        for (int64_t column = 0; column < walk_.pool_w(); ++column) {
          best = Max(normalize(Load(window + (row * walk_.w() + column) * c_, lanes)), best);
        }
      }
    }
    return best;
  }

  EpilogueWalk<Traits> walk_;
  int64_t c_;
  EpilogueForwardArgs args_;
  const T* x_;
  T* y_;
  DropoutMask dropout_;
};

}  // namespace

void EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) {
  WithEpilogueTraits(desc, args.dropout.rate > 0, [&](auto traits) { Forward<decltype(traits)>(desc, args).Run(); });
}

}  // namespace headrace::tensor::HEADRACE_ISA
