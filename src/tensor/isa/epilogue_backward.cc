// dx of the epilogue in one pass over x and dy. Behind a BatchNormalization it is, channel by channel,
//   dx = scale * g + (x - mean) * slope + offset,
//   slope = -scale * rstd * dgamma / N, offset = -scale * dbeta / N.
#include "tensor/isa/epilogue_backward.h"

#include "tensor/isa/kernels.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

template <typename Traits>
class Backward {
 public:
  using T = typename Traits::T;

  // `coefficients`: room for 2 * c floats.
  Backward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, float* coefficients)
      : gradient_(desc, args),
        scale_(args.scale),
        mean_(args.mean),
        slope_(coefficients),
        offset_(coefficients + desc.c),
        dx_(static_cast<T*>(args.dx)) {
    if constexpr (Traits::kBatchNorm) {
      const double count = static_cast<double>(desc.n * desc.h * desc.w);
      for (int64_t c = 0; c < desc.c; ++c) {
        const double factor = -args.scale[c] / count;
        coefficients[c] = static_cast<float>(factor * args.rstd[c] * args.dgamma[c]);
        coefficients[desc.c + c] = static_cast<float>(factor * args.dbeta[c]);
      }
    }
  }

  void Run() const {
    ParallelRanges(gradient_.walk().runs(), [this](int64_t begin, int64_t end, int) {
      for (int64_t index = begin; index < end; ++index) {
        const EpilogueRun run = gradient_.walk().Run(index);
        for (int64_t pixel = 0; pixel < run.count; ++pixel) WriteWindow(run, pixel);
        if constexpr (Traits::kPool != 1) WriteLeftOver(index, run);
      }
    });
  }

 private:
  // Channels of one vector: writes dx from g.
  template <typename Lanes>
  struct Channels {
    F32 scale, mean, slope, offset;
    Channels(const Backward& pass, int64_t channel, Lanes lanes) {
      if constexpr (Traits::kBatchNorm) {
        scale = Load(pass.scale_ + channel, lanes);
        mean = Load(pass.mean_ + channel, lanes);
        slope = Load(pass.slope_ + channel, lanes);
        offset = Load(pass.offset_ + channel, lanes);
      }
    }
    F32 Gradient(F32 g, F32 x) const {
      if constexpr (Traits::kBatchNorm) return MulAdd(scale, g, MulAdd(x - mean, slope, offset));
      return g;
    }
  };

  void WriteWindow(const EpilogueRun& run, int64_t pixel) const {
    const int64_t input = gradient_.Input(run, pixel);
    const int64_t output = gradient_.Output(run, pixel);
    ForEachVector(gradient_.c(), [&](int64_t channel, auto lanes) {
      const Channels<decltype(lanes)> channels(*this, channel, lanes);
      const WindowGradient window = gradient_.At(input + channel, output + channel, channel, lanes);
      if constexpr (Traits::kPool == 1) {
        Store(dx_ + input + channel, channels.Gradient(window.g, window.x), lanes);
      } else {
        Scatter(window, input + channel, channels, lanes);
      }
    });
  }

  template <typename Lanes>
  void Scatter(const WindowGradient& window, int64_t input, const Channels<Lanes>& channels, Lanes lanes) const {
    int32_t number = 0;
    for (int64_t row = 0; row < gradient_.walk().pool_h(); ++row) {
      for (int64_t column = 0; column < gradient_.walk().pool_w(); ++column, ++number) {
        const int64_t index = input + gradient_.Offset(row, column);
        const F32 g = Where(window.winner == number, window.g);
        Store(dx_ + index, channels.Gradient(g, Load(gradient_.x() + index, lanes)), lanes);
      }
    }
  }

  // The columns right of the last window, and below the last row of windows the rows that fill none: g is zero.
  void WriteLeftOver(int64_t index, const EpilogueRun& run) const {
    const EpilogueWalk<Traits>& walk = gradient_.walk();
    for (int64_t row = 0; row < walk.pool_h(); ++row) {
      WriteWithoutGradient(run.input + row * walk.w() + walk.out_w() * walk.pool_w(), walk.columns_left());
    }
    if (walk.LastOfImage(index)) {
      WriteWithoutGradient(run.input + walk.pool_h() * walk.w(), walk.rows_left() * walk.w());
    }
  }

  void WriteWithoutGradient(int64_t first_pixel, int64_t pixels) const {
    for (int64_t pixel = first_pixel; pixel < first_pixel + pixels; ++pixel) {
      ForEachVector(gradient_.c(), [&](int64_t channel, auto lanes) {
        const Channels<decltype(lanes)> channels(*this, channel, lanes);
        const int64_t index = pixel * gradient_.c() + channel;
        Store(dx_ + index, channels.Gradient(F32{}, Load(gradient_.x() + index, lanes)), lanes);
      });
    }
  }

  EpilogueGradient<Traits> gradient_;
  const float *scale_, *mean_, *slope_, *offset_;
  T* dx_;
};

}  // namespace

void EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch) {
  WithEpilogueTraits(desc, args.dropout.rate > 0, [&](auto traits) {
    Backward<decltype(traits)>(desc, args, reinterpret_cast<float*>(scratch)).Run();
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
