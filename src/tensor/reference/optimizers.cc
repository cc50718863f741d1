// The updates of SGD, RMSprop and Adam, as Keras 3 writes them.
#include <cmath>

#include "tensor/reference/reference_backend.h"

namespace headrace::tensor::reference {

// v = momentum * v - lr * g; w += v, or with nesterov w += momentum * v - lr * g.
void ReferenceBackend::Sgd(const SgdArgs& args) const {
  for (int64_t i = 0; i < args.count; ++i) {
    const double step = static_cast<double>(args.lr) * args.g[i];
    double change = -step;
    if (args.momentum != 0) {
      const double velocity = static_cast<double>(args.momentum) * args.velocity[i] - step;
      args.velocity[i] = static_cast<float>(velocity);
      change = args.nesterov ? args.momentum * velocity - step : velocity;
    }
    args.w[i] = static_cast<float>(args.w[i] + change);
  }
}

// a = rho * a + (1 - rho) * g^2; step = lr * g / sqrt(a + epsilon); with momentum v = momentum * v + step, w -= v.
void ReferenceBackend::Rmsprop(const RmspropArgs& args) const {
  for (int64_t i = 0; i < args.count; ++i) {
    const double g = args.g[i];
    const double mean_square = static_cast<double>(args.rho) * args.mean_square[i] + (1.0 - args.rho) * g * g;
    args.mean_square[i] = static_cast<float>(mean_square);
    double step = args.lr * g / std::sqrt(mean_square + args.epsilon);
    if (args.momentum != 0) {
      step += static_cast<double>(args.momentum) * args.velocity[i];
      args.velocity[i] = static_cast<float>(step);
    }
    args.w[i] = static_cast<float>(args.w[i] - step);
  }
}

// m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g^2; w -= lr_t * m / (sqrt(v) + epsilon).
void ReferenceBackend::Adam(const AdamArgs& args) const {
  for (int64_t i = 0; i < args.count; ++i) {
    const double g = args.g[i];
    const double m = static_cast<double>(args.beta_1) * args.m[i] + (1.0 - args.beta_1) * g;
    const double v = static_cast<double>(args.beta_2) * args.v[i] + (1.0 - args.beta_2) * g * g;
    args.m[i] = static_cast<float>(m);
    args.v[i] = static_cast<float>(v);
    args.w[i] = static_cast<float>(args.w[i] - args.lr_t * m / (std::sqrt(v) + args.epsilon));
  }
}

}  // namespace headrace::tensor::reference
