// headrace/keras/optimizers.h: how gradients change weights. Names, defaults and formulas are Keras 3's; a rate is a
// number or a schedule (headrace/keras/schedules.h).
//
// Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "headrace/keras/schedules.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct OptimizerState;
}

// Legacy `decay`: the step's rate is learning_rate / (1 + decay * iterations), iterations counted before the step.
class Optimizer {
 public:
  Optimizer(const char* name);  // "sgd", "rmsprop", "adam" with their defaults
  Optimizer(const std::string& name) : Optimizer(name.c_str()) {}
  std::string name() const;
  float learning_rate() const;  // of the next step, where a schedule says it
  // Throws kFailedPrecondition when the rate is a schedule's.
  void set_learning_rate(float learning_rate);
  int64_t iterations() const;  // steps taken

  const std::shared_ptr<internal::OptimizerState>& state() const { return state_; }

 protected:
  explicit Optimizer(std::shared_ptr<internal::OptimizerState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<internal::OptimizerState> state_;
};
struct SGDOptions {
  LearningRate learning_rate = 0.01f;
  float momentum = 0;
  bool nesterov = false;
  float decay = 0;
};
class SGD : public Optimizer {  // v = momentum * v - lr * g; w += v; nesterov: w += momentum * v - lr * g
 public:
  explicit SGD(SGDOptions options = {});
};
struct RMSpropOptions {
  LearningRate learning_rate = 0.001f;
  float rho = 0.9f, momentum = 0, epsilon = 1e-7f, decay = 0;
};
class RMSprop : public Optimizer {  // a = rho * a + (1 - rho) * g^2; w -= lr * g / sqrt(a + epsilon)
 public:
  explicit RMSprop(RMSpropOptions options = {});
};
struct AdamOptions {
  LearningRate learning_rate = 0.001f;
  float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f, decay = 0;
};
class Adam : public Optimizer {  // lr_t = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t); w -= lr_t * m / (sqrt(v) + epsilon)
 public:
  explicit Adam(AdamOptions options = {});
};

}  // namespace headrace::keras
