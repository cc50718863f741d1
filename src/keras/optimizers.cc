// Optimizers: configuration and its checks. The updates themselves are the back end's (tensor/backend.h).
#include <cmath>

#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/optimizer_state.h"

namespace headrace::keras {
namespace internal {

const char* NameOf(OptimizerState::Kind kind) {
  switch (kind) {
    case OptimizerState::Kind::kSgd:
      return "SGD";
    case OptimizerState::Kind::kRmsprop:
      return "RMSprop";
    case OptimizerState::Kind::kAdam:
      return "Adam";
  }
  return "?";
}

std::vector<std::string> SlotNames(const OptimizerState& state) {
  const bool momentum = state.momentum != 0;
  switch (state.kind) {
    case OptimizerState::Kind::kSgd:
      return momentum ? std::vector<std::string>{"momentum"} : std::vector<std::string>{};
    case OptimizerState::Kind::kRmsprop:
      return momentum ? std::vector<std::string>{"velocity", "momentum"} : std::vector<std::string>{"velocity"};
    case OptimizerState::Kind::kAdam:
      return {"momentum", "velocity"};
  }
  return {};
}

namespace {

using StatePtr = std::shared_ptr<OptimizerState>;

void CheckNotNegative(const char* optimizer, const char* argument, float value) {
  if (!(value >= 0) || !std::isfinite(value))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted a finite number of 0 or more", optimizer,
                    argument, value);
}

void CheckFraction(const char* optimizer, const char* argument, float value) {
  if (!(value >= 0 && value < 1))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted 0 <= {} < 1", optimizer, argument, value,
                    argument);
}

void CheckMomentum(const char* optimizer, float value) {
  if (!(value >= 0 && value <= 1))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: momentum: found {}, wanted 0 <= momentum <= 1", optimizer, value);
}

StatePtr MakeSgd(const SGDOptions& options) {
  CheckNotNegative("SGD", "learning_rate", options.learning_rate);
  CheckNotNegative("SGD", "decay", options.decay);
  CheckMomentum("SGD", options.momentum);
  return std::make_shared<OptimizerState>(OptimizerState{.kind = OptimizerState::Kind::kSgd,
                                                         .learning_rate = options.learning_rate,
                                                         .momentum = options.momentum,
                                                         .decay = options.decay,
                                                         .nesterov = options.nesterov});
}

StatePtr MakeRmsprop(const RMSpropOptions& options) {
  CheckNotNegative("RMSprop", "learning_rate", options.learning_rate);
  CheckNotNegative("RMSprop", "decay", options.decay);
  CheckNotNegative("RMSprop", "epsilon", options.epsilon);
  CheckFraction("RMSprop", "rho", options.rho);
  CheckMomentum("RMSprop", options.momentum);
  return std::make_shared<OptimizerState>(OptimizerState{.kind = OptimizerState::Kind::kRmsprop,
                                                         .learning_rate = options.learning_rate,
                                                         .momentum = options.momentum,
                                                         .rho = options.rho,
                                                         .epsilon = options.epsilon,
                                                         .decay = options.decay});
}

StatePtr MakeAdam(const AdamOptions& options) {
  CheckNotNegative("Adam", "learning_rate", options.learning_rate);
  CheckNotNegative("Adam", "decay", options.decay);
  CheckNotNegative("Adam", "epsilon", options.epsilon);
  CheckFraction("Adam", "beta_1", options.beta_1);
  CheckFraction("Adam", "beta_2", options.beta_2);
  return std::make_shared<OptimizerState>(OptimizerState{.kind = OptimizerState::Kind::kAdam,
                                                         .learning_rate = options.learning_rate,
                                                         .beta_1 = options.beta_1,
                                                         .beta_2 = options.beta_2,
                                                         .epsilon = options.epsilon,
                                                         .decay = options.decay});
}

StatePtr MakeByName(const std::string& name) {
  const std::string lower = Lowercase(name);
  if (lower == "sgd") return MakeSgd({});
  if (lower == "rmsprop") return MakeRmsprop({});
  if (lower == "adam") return MakeAdam({});
  throw MakeError(ErrorCode::kInvalidArgument, "optimizer: found \"{}\", wanted one of sgd, rmsprop, adam", name);
}

}  // namespace
}  // namespace internal

Optimizer::Optimizer(const char* name) : state_(internal::MakeByName(name)) {}
SGD::SGD(SGDOptions options) : Optimizer(internal::MakeSgd(options)) {}
RMSprop::RMSprop(RMSpropOptions options) : Optimizer(internal::MakeRmsprop(options)) {}
Adam::Adam(AdamOptions options) : Optimizer(internal::MakeAdam(options)) {}

std::string Optimizer::name() const { return internal::Lowercase(internal::NameOf(state_->kind)); }
float Optimizer::learning_rate() const { return state_->learning_rate; }
void Optimizer::set_learning_rate(float learning_rate) {
  internal::CheckNotNegative(internal::NameOf(state_->kind), "learning_rate", learning_rate);
  state_->learning_rate = learning_rate;
}
int64_t Optimizer::iterations() const { return state_->iterations; }

}  // namespace headrace::keras
