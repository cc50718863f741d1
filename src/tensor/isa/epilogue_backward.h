// epilogue_backward.h: g, the gradient just behind BatchNormalization, recomputed from x and dy for both passes.
#pragma once

#include "tensor/isa/epilogue.h"

namespace headrace::tensor::HEADRACE_ISA {

// The gradient of one window: all of it belongs to the first maximum.
struct WindowGradient {
  F32 g;       // dy through dropout and ReLU
  F32 x;       // x of the winner
  I32 winner;  // its number in row-major order
};

template <typename Traits>
class EpilogueGradient {
 public:
  using T = typename Traits::T;

  EpilogueGradient(const EpilogueDesc& desc, const EpilogueBackwardArgs& args)
      : walk_(desc),
        c_(desc.c),
        scale_(args.scale),
        shift_(args.shift),
        x_(static_cast<const T*>(args.x)),
        dy_(static_cast<const T*>(args.dy)),
        dropout_(args.dropout) {}

  const EpilogueWalk<Traits>& walk() const { return walk_; }
  int64_t c() const { return c_; }
  const T* x() const { return x_; }

  // Index into x and dy of channel 0 of window `pixel` of a run.
  int64_t Input(const EpilogueRun& run, int64_t pixel) const { return (run.input + pixel * walk_.pool_w()) * c_; }
  int64_t Output(const EpilogueRun& run, int64_t pixel) const { return (run.first + pixel) * c_; }
  // From the first element of a window to the one at (row, column) of it.
  int64_t Offset(int64_t row, int64_t column) const { return (row * walk_.w() + column) * c_; }

  // `input`, `output`: indices of the window's first element and of its dy.
  template <typename Lanes>
  WindowGradient At(int64_t input, int64_t output, int64_t channel, Lanes lanes) const {
    const Normalizer<Traits, Lanes> normalize(scale_, shift_, channel, lanes);
    PrefetchAhead(x_ + input);
    PrefetchAhead(dy_ + output);
    WindowGradient window{F32{}, Load(x_ + input, lanes), I32{}};
    F32 best = normalize(window.x);
    if constexpr (Traits::kPool != 1) {
      int32_t number = 0;
      for (int64_t row = 0; row < walk_.pool_h(); ++row) {
        for (int64_t column = 0; column < walk_.pool_w(); ++column, ++number) {
          if (number == 0) continue;
          PrefetchAhead(x_ + input + Offset(row, column));
          const F32 x = Load(x_ + input + Offset(row, column), lanes);
          const F32 value = normalize(x);
          const I32 wins = value > best;
          best = wins ? value : best;
          window.x = wins ? x : window.x;
          window.winner = wins ? I32{} + number : window.winner;
        }
      }
    }
    F32 g = Load(dy_ + output, lanes);
    if constexpr (Traits::kDropout) g = dropout_.Apply(output, g);
    if constexpr (Traits::kRelu) g = Where(best > F32{}, g);
    window.g = g;
    return window;
  }

 private:
  EpilogueWalk<Traits> walk_;
  int64_t c_;
  const float *scale_, *shift_;
  const T *x_, *dy_;
  DropoutMask dropout_;
};

}  // namespace headrace::tensor::HEADRACE_ISA
