// UpdateArgs: one step of an optimizer over packed weights, one pass over them, their gradients and the rule's state.
#pragma once

#include <cstdint>

namespace headrace::tensor {

// How a gradient g changes a weight w, with the rule's slots in the order they stand in UpdateArgs::slots. Formulas are
// Keras 3's; what depends on the number of the step is in lr and the factors.
enum class UpdateRule {
  kSgd,       // v (none without momentum): v = momentum * v - lr * g; w += v; nesterov: w += momentum * v - lr * g
  kRmsprop,   // s, v (none without momentum), m (centered): s = rho * s + (1 - rho) * g^2, m = rho * m + (1 - rho) * g;
              // step = lr * g / sqrt(s - m^2 + epsilon); v = momentum * v + step; w -= v
  kAdam,      // m, v, largest v (amsgrad): m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g^2;
              // w -= lr * m / (sqrt(v) + epsilon)
  kAdamax,    // m, u: u = max(beta_2 * u, |g|); w -= lr * m / (u + epsilon)
  kNadam,     // m, v: w -= lr * (m_factor * m + g_factor * g) / (sqrt(v * v_factor) + epsilon)
  kAdagrad,   // a: a += g^2; w -= lr * g / sqrt(a + epsilon)
  kAdadelta,  // a, d: a = rho * a + (1 - rho) * g^2; step = g * sqrt(d + epsilon) / sqrt(a + epsilon);
              // d = rho * d + (1 - rho) * step^2; w -= lr * step
  kLion,      // m: w -= lr * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g
  kFtrl,      // a, z: b = a + g^2; z += g + 2 * shrinkage * w - (b^power - a^power) / lr * w; a = b;
              // w = (clip(z, -l1, l1) - z) / (b^power / lr + 2 * l2)
  kScheduleFree,  // z, v: v as kAdam's; z -= lr * g / (sqrt(v_factor * v) + epsilon); x = (w - (1 - beta_1) * z) /
                  // beta_1; x += g_factor * (z - x); w = (1 - beta_1) * z + beta_1 * x
  // These look at one variable as a whole: a call is for all of its weights.
  kLamb,  // m, v: as kAdam's; u = m_factor * m / (sqrt(v_factor * v) + epsilon); w -= lr * |w| / |u| * u, the norms'
          // ratio 1 where one is 0
  kAdafactor,  // v, and of a matrix r, c: the means of s = g^2 + epsilon over columns and over rows, moved by rho;
               // v = r / mean(r) * c, without a matrix v = rho * v + (1 - rho) * s; u = g / sqrt(v);
               // w -= lr * max(epsilon_2, rms(w)) * u / max(1, rms(u) / clip_threshold)
  kKeep,       // w as it is, for what is done behind the rule
};

// How a moving mean moves: mean = kept * mean + fresh * value. From a number, which is what is kept, the rest is fresh
// as float32 subtracts; where Keras subtracts in float64, as it does 1 - 0.999, both are given: they differ by 2e-5.
struct MeanShare {
  MeanShare(float kept) : kept(kept), fresh(1.0f - kept) {}
  MeanShare(float kept, float fresh) : kept(kept), fresh(fresh) {}
  float kept, fresh;
};

struct UpdateArgs {
  UpdateRule rule = UpdateRule::kSgd;
  int64_t count = 0;
  float* w = nullptr;
  const float* g = nullptr;
  float* slots[3] = {};

  float lr = 0;
  MeanShare rho = 0, beta_1 = 0, beta_2 = 0;
  float momentum = 0, epsilon = 0;
  float m_factor = 0, g_factor = 0, v_factor = 0;
  float epsilon_2 = 0, clip_threshold = 1;
  int64_t rows = 0, columns = 0;  // of the matrices, the last two axes; 0: there is none
  float power = 0, l1 = 0, l2 = 0, shrinkage = 0;
  bool nesterov = false;

  // Before the rule: g is scaled, then cut off at +-clip (0: it is not); w loses `decay` of itself.
  float scale = 1, clip = 0, decay = 0;
  // Behind it: average = average_momentum * average + (1 - average_momentum) * w; null: none is kept.
  float* average = nullptr;
  float average_momentum = 0;
};

}  // namespace headrace::tensor
