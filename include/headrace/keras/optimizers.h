// headrace/keras/optimizers.h: how gradients change weights. Names, defaults and formulas are Keras 3's; a rate is a
// number, a schedule (headrace/keras/schedules.h) or a function of the step. In the formulas g is the gradient, lr the
// rate, t the number of the step, from 1.
//
// Every optimizer has these options; a number of 0 means that it is off:
// - weight_decay: each step first takes lr * weight_decay of itself from a weight; exclude_from_weight_decay() leaves
//   weights out.
// - clipnorm, global_clipnorm, clipvalue, of which one may be on: the gradient of each variable is scaled down to this
//   norm where its own is larger; or all gradients are, by the norm of all together; or every element is cut off at
//   +-clipvalue.
// - use_ema, ema_momentum: a moving average of the weights is kept, average * momentum + weight * (1 - momentum). fit()
//   ends with it in the weights' place; the callback SwapEMAWeights puts it there for validation.
// - ema_overwrite_frequency: every so many steps the weights become their average.
// - gradient_accumulation_steps: so many batches make one step, of their mean gradient.
// Between ranks (headrace/horovod.h) clipping, accumulation and average are of the gradients that the ranks have
// averaged.
//
// Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/keras/layer.h"
#include "headrace/keras/schedules.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct OptimizerState;
}

class Optimizer {
 public:
  Optimizer(const char* name);  // "sgd", "rmsprop", "adam", "adamw", … with their defaults
  Optimizer(const std::string& name) : Optimizer(name.c_str()) {}
  std::string name() const;
  float learning_rate() const;  // of the next step, where a schedule says it
  // Throws kFailedPrecondition when the rate is a schedule's.
  void set_learning_rate(float learning_rate);
  int64_t iterations() const;  // steps taken; with gradient accumulation those that changed weights
  // Leaves these out of the weight decay, and those in whose names one of the words occurs: "bias" of "dense/bias", as
  // Keras 3's variables are named, without the layer. Throws kFailedPrecondition once the optimizer has trained.
  void exclude_from_weight_decay(std::vector<std::shared_ptr<Variable>> var_list,
                                 std::vector<std::string> var_names = {});

  const std::shared_ptr<internal::OptimizerState>& state() const { return state_; }

 protected:
  explicit Optimizer(std::shared_ptr<internal::OptimizerState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<internal::OptimizerState> state_;
};

// Legacy `decay`, of the first three: the step's rate is learning_rate / (1 + decay * iterations), iterations counted
// before the step.
struct SGDOptions {
  LearningRate learning_rate = 0.01f;
  float momentum = 0;
  bool nesterov = false;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
  float decay = 0;
};
// v = momentum * v - lr * g; w += v; nesterov: w += momentum * v - lr * g
class SGD : public Optimizer {
 public:
  explicit SGD(SGDOptions options = {});
};
struct RMSpropOptions {
  LearningRate learning_rate = 0.001f;
  float rho = 0.9f, momentum = 0, epsilon = 1e-7f;
  bool centered = false;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
  float decay = 0;
};
// a = rho * a + (1 - rho) * g^2; w -= lr * g / sqrt(a + epsilon); centered: less the square of the mean of g
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(RMSpropOptions options = {});
};
struct AdamOptions {
  LearningRate learning_rate = 0.001f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f;
  bool amsgrad = false;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
  float decay = 0;
};
// lr_t = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t); w -= lr_t * m / (sqrt(v) + epsilon); amsgrad: v is the largest so
// far
class Adam : public Optimizer {
 public:
  explicit Adam(AdamOptions options = {});
};
struct AdamWOptions {
  LearningRate learning_rate = 0.001f;
  float weight_decay = 0.004f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f;
  bool amsgrad = false;
  float clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// Adam with weight decay.
class AdamW : public Optimizer {
 public:
  explicit AdamW(AdamWOptions options = {});
};
struct AdamaxOptions {
  LearningRate learning_rate = 0.001f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// u = max(beta_2 * u, |g|); w -= lr / (1 - beta_1^t) * m / (u + epsilon)
class Adamax : public Optimizer {
 public:
  explicit Adamax(AdamaxOptions options = {});
};
struct NadamOptions {
  LearningRate learning_rate = 0.001f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// Adam with Nesterov's momentum, whose share grows over the first steps: beta_1 * (1 - 0.96^t / 2)
class Nadam : public Optimizer {
 public:
  explicit Nadam(NadamOptions options = {});
};
struct AdagradOptions {
  LearningRate learning_rate = 0.001f;
  float initial_accumulator_value = 0.1f, epsilon = 1e-7f;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// a += g^2; w -= lr * g / sqrt(a + epsilon)
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(AdagradOptions options = {});
};
struct AdadeltaOptions {
  LearningRate learning_rate = 0.001f;
  float rho = 0.95f, epsilon = 1e-7f;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// d: the mean of squared steps; step = g * sqrt(d + epsilon) / sqrt(a + epsilon), a as RMSprop's; w -= lr * step
class Adadelta : public Optimizer {
 public:
  explicit Adadelta(AdadeltaOptions options = {});
};
struct LionOptions {
  LearningRate learning_rate = 0.001f;
  float beta_1 = 0.9f, beta_2 = 0.99f;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// w -= lr * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g
class Lion : public Optimizer {
 public:
  explicit Lion(LionOptions options = {});
};
struct FtrlOptions {
  LearningRate learning_rate = 0.001f;
  float learning_rate_power = -0.5f, initial_accumulator_value = 0.1f;
  float l1_regularization_strength = 0, l2_regularization_strength = 0, l2_shrinkage_regularization_strength = 0;
  float beta = 0;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// Follow the regularized leader: penalties of the first and second power, and one of the second that only shrinks g.
class Ftrl : public Optimizer {
 public:
  explicit Ftrl(FtrlOptions options = {});
};
struct LambOptions {
  LearningRate learning_rate = 0.001f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// Adam's step u, scaled for each variable to the norm of its weights: w -= lr * |w| / |u| * u
class Lamb : public Optimizer {
 public:
  explicit Lamb(LambOptions options = {});
};
struct ScheduleFreeAdamWOptions {
  LearningRate learning_rate = 0.0025f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-8f;
  int64_t warmup_steps = 0;
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// Takes RMSprop's steps in z, of which x is a mean, and trains at w = (1 - beta_1) * z + beta_1 * x (docs/numerics.md).
class ScheduleFreeAdamW : public Optimizer {
 public:
  explicit ScheduleFreeAdamW(ScheduleFreeAdamWOptions options = {});
};
struct AdafactorOptions {
  LearningRate learning_rate = 0.001f;
  float beta_2_decay = -0.8f, epsilon_1 = 1e-30f, epsilon_2 = 1e-3f, clip_threshold = 1;
  bool relative_step = true;  // as Keras computes it, this changes nothing
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
};
// Squared gradients are known by their means over the rows and the columns of the last two axes; the rate is
// min(lr, 1 / sqrt(t)) times the root mean square of the variable's weights, epsilon_2 at least.
class Adafactor : public Optimizer {
 public:
  explicit Adafactor(AdafactorOptions options = {});
};

}  // namespace headrace::keras
