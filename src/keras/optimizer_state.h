// OptimizerState: configuration and slots of an optimizer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headrace/keras.h"

#include "keras/gradient_exchange.h"

namespace headrace::keras::internal {

// One value for each trainable variable, in the model's order and, but for Adafactor's means, of the variable's shape.
// The values are views of one contiguous buffer laid out as the parameters are, so that an update is one pass.
struct Slot {
  std::string name;  // "momentum", "velocity" as in Keras 3's optimizers
  std::vector<Tensor> values;
};

struct OptimizerState {
  enum class Kind {
    kSgd,
    kRmsprop,
    kAdam,
    kAdamw,
    kAdamax,
    kNadam,
    kAdagrad,
    kAdadelta,
    kLion,
    kFtrl,
    kLamb,
    kAdafactor,
    kScheduleFree
  };
  Kind kind = Kind::kSgd;
  float learning_rate = 0.01f;                   // where there is no schedule
  std::optional<LearningRateSchedule> schedule;  // then it says the rate
  float decay = 0;                               // legacy

  // Keras's settings of the kinds; which kind has which: SettingsOf().
  float momentum = 0, rho = 0.9f, beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f;
  bool nesterov = false, centered = false, amsgrad = false;
  float initial_accumulator_value = 0.1f, learning_rate_power = -0.5f, beta = 0;
  float l1_regularization_strength = 0, l2_regularization_strength = 0, l2_shrinkage_regularization_strength = 0;

  float beta_2_decay = -0.8f, epsilon_1 = 1e-30f, epsilon_2 = 1e-3f, clip_threshold = 1;
  float warmup_steps = 0;
  bool relative_step = true;  // changes nothing: Keras's Adafactor takes min(rate, 1 / sqrt(t)) without it, too

  // Of every kind; 0: not.
  float weight_decay = 0, clipnorm = 0, clipvalue = 0, global_clipnorm = 0;
  bool use_ema = false;
  float ema_momentum = 0.99f;
  int64_t ema_overwrite_frequency = 0, gradient_accumulation_steps = 0;
  std::vector<std::shared_ptr<Variable>> undecayed;  // weight decay is not for them,
  std::vector<std::string> undecayed_names;          // nor for those with one of these in their names

  int64_t iterations = 0;
  // Nadam's shares of the momentum up to a step, multiplied: the next step is one factor more (NadamProduct()).
  struct MomentumProduct {
    int64_t steps = 0;
    float value = 1;
  };
  mutable MomentumProduct momentum_product;
  bool averages_in_weights = false;  // SwapEMAWeights has exchanged the slot "average" with the weights
  std::vector<Slot> slots;           // empty until the model has been compiled and built
  MakeGradientExchange distribute;   // empty: the model trains alone
};

const char* NameOf(OptimizerState::Kind kind);  // "SGD", "RMSprop", "Adam"

// A setting of one kind, by the name that Keras has for it.
struct Setting {
  enum class Range {
    kNotNegative,
    kFraction,
    kUnit,
    kAboveZero,
    kPositive,
    kNotPositive
  };  // kFraction: below 1; kUnit and kAboveZero: 1, too
  const char* name;
  float OptimizerState::*number = nullptr;
  Range range = Range::kNotNegative;
  bool OptimizerState::*flag = nullptr;  // instead of a number
};
const std::vector<Setting>& SettingsOf(OptimizerState::Kind kind);

// Throws kInvalidArgument, naming optimizer and setting, for what Keras refuses.
void CheckOptimizer(const OptimizerState& state);

// Of the next step: the schedule's, or learning_rate after the legacy decay.
float RateOfStep(const OptimizerState& state);
// Throws kFailedPrecondition, naming `who` sets it, when a schedule says the rate.
void RequireSettableRate(const OptimizerState& state, const char* who);

}  // namespace headrace::keras::internal
