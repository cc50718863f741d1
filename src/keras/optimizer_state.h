// OptimizerState: configuration and slots of an optimizer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headrace/keras.h"

#include "keras/gradient_exchange.h"

namespace headrace::keras::internal {

// One value for each trainable variable, in the model's order and of the variable's shape. The values are views of one
// contiguous buffer laid out as the parameters are, so that an update is one pass.
struct Slot {
  std::string name;  // "momentum", "velocity" as in Keras 3's optimizers
  std::vector<Tensor> values;
};

struct OptimizerState {
  enum class Kind { kSgd, kRmsprop, kAdam };
  Kind kind = Kind::kSgd;
  float learning_rate = 0.01f;                   // where there is no schedule
  std::optional<LearningRateSchedule> schedule;  // then it says the rate
  float momentum = 0, rho = 0.9f, beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f, decay = 0;
  bool nesterov = false;
  int64_t iterations = 0;
  std::vector<Slot> slots;          // empty until the model has been compiled and built
  MakeGradientExchange distribute;  // empty: the model trains alone
};

const char* NameOf(OptimizerState::Kind kind);  // "SGD", "RMSprop", "Adam"
// Of the next step: the schedule's, or learning_rate after the legacy decay.
float RateOfStep(const OptimizerState& state);
// Throws kFailedPrecondition, naming `who` sets it, when a schedule says the rate.
void RequireSettableRate(const OptimizerState& state, const char* who);
// The slots' names of this optimizer, e.g. {"momentum", "velocity"} for Adam.
std::vector<std::string> SlotNames(const OptimizerState& state);

}  // namespace headrace::keras::internal
