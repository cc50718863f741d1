// The updates of SGD, RMSprop and Adam, one pass over weights, gradients and state.
#include "tensor/isa/elementwise.h"
#include "tensor/isa/kernels.h"
#include "tensor/isa/math.h"

namespace headrace::tensor::HEADRACE_ISA {

// v = momentum * v - lr * g; w += v, or with nesterov w += momentum * v - lr * g.
void Sgd(const SgdArgs& args) {
  const SgdArgs a = args;
  WithFlag(a.momentum != 0, [&](auto momentum) {
    ForEachVectorParallel(a.count, [=](int64_t i, auto lanes) {
      const F32 step = Load(a.g + i, lanes) * a.lr;
      F32 change = -step;
      if constexpr (decltype(momentum)::value) {
        const F32 velocity = Load(a.velocity + i, lanes) * a.momentum - step;
        Store(a.velocity + i, velocity, lanes);
        change = a.nesterov ? velocity * a.momentum - step : velocity;
      }
      Store(a.w + i, Load(a.w + i, lanes) + change, lanes);
    });
  });
}

// s = rho * s + (1 - rho) * g^2; step = lr * g / sqrt(s + epsilon); with momentum v = momentum * v + step, w -= v.
void Rmsprop(const RmspropArgs& args) {
  const RmspropArgs a = args;
  WithFlag(a.momentum != 0, [&](auto momentum) {
    ForEachVectorParallel(a.count, [=](int64_t i, auto lanes) {
      const F32 g = Load(a.g + i, lanes);
      const F32 mean_square = Load(a.mean_square + i, lanes) * a.rho + g * g * (1.0f - a.rho);
      Store(a.mean_square + i, mean_square, lanes);
      F32 step = g * a.lr / Sqrt(mean_square + a.epsilon);
      if constexpr (decltype(momentum)::value) {
        step += Load(a.velocity + i, lanes) * a.momentum;
        Store(a.velocity + i, step, lanes);
      }
      Store(a.w + i, Load(a.w + i, lanes) - step, lanes);
    });
  });
}

// m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g^2; w -= lr_t * m / (sqrt(v) + epsilon).
void Adam(const AdamArgs& args) {
  const AdamArgs a = args;
  ForEachVectorParallel(a.count, [=](int64_t i, auto lanes) {
    const F32 g = Load(a.g + i, lanes);
    const F32 m = Load(a.m + i, lanes) * a.beta_1 + g * (1.0f - a.beta_1);
    const F32 v = Load(a.v + i, lanes) * a.beta_2 + g * g * (1.0f - a.beta_2);
    Store(a.m + i, m, lanes);
    Store(a.v + i, v, lanes);
    Store(a.w + i, Load(a.w + i, lanes) - m * a.lr_t / (Sqrt(v) + a.epsilon), lanes);
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
