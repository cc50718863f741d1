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

float RateOfStep(const OptimizerState& state) {
  if (state.schedule) return (*state.schedule)(state.iterations);
  return static_cast<float>(state.learning_rate /
                            (1.0 + static_cast<double>(state.decay) * static_cast<double>(state.iterations)));
}

void RequireSettableRate(const OptimizerState& state, const char* who) {
  if (state.schedule)
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "{}: the learning rate of {} is a schedule's and cannot be set; give the optimizer a number as its "
                    "learning_rate",
                    who, NameOf(state.kind));
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

// The rate and the legacy decay of it.
void SetRate(OptimizerState& state, const LearningRate& rate, float decay) {
  const char* name = NameOf(state.kind);
  state.learning_rate = rate.rate();
  state.schedule = rate.schedule();
  state.decay = decay;
  CheckNotNegative(name, "learning_rate", state.learning_rate);
  CheckNotNegative(name, "decay", decay);
  if (state.schedule && decay != 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: decay: found {} beside a schedule, wanted one of them: InverseTimeDecay does both", name,
                    decay);
}

StatePtr MakeSgd(const SGDOptions& options) {
  CheckMomentum("SGD", options.momentum);
  auto state = std::make_shared<OptimizerState>(
      OptimizerState{.kind = OptimizerState::Kind::kSgd, .momentum = options.momentum, .nesterov = options.nesterov});
  SetRate(*state, options.learning_rate, options.decay);
  return state;
}

StatePtr MakeRmsprop(const RMSpropOptions& options) {
  CheckNotNegative("RMSprop", "epsilon", options.epsilon);
  CheckFraction("RMSprop", "rho", options.rho);
  CheckMomentum("RMSprop", options.momentum);
  auto state = std::make_shared<OptimizerState>(OptimizerState{.kind = OptimizerState::Kind::kRmsprop,
                                                               .momentum = options.momentum,
                                                               .rho = options.rho,
                                                               .epsilon = options.epsilon});
  SetRate(*state, options.learning_rate, options.decay);
  return state;
}

StatePtr MakeAdam(const AdamOptions& options) {
  CheckNotNegative("Adam", "epsilon", options.epsilon);
  CheckFraction("Adam", "beta_1", options.beta_1);
  CheckFraction("Adam", "beta_2", options.beta_2);
  auto state = std::make_shared<OptimizerState>(OptimizerState{.kind = OptimizerState::Kind::kAdam,
                                                               .beta_1 = options.beta_1,
                                                               .beta_2 = options.beta_2,
                                                               .epsilon = options.epsilon});
  SetRate(*state, options.learning_rate, options.decay);
  return state;
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
float Optimizer::learning_rate() const {
  return state_->schedule ? internal::RateOfStep(*state_) : state_->learning_rate;
}
void Optimizer::set_learning_rate(float learning_rate) {
  internal::RequireSettableRate(*state_, "set_learning_rate");
  internal::CheckNotNegative(internal::NameOf(state_->kind), "learning_rate", learning_rate);
  state_->learning_rate = learning_rate;
}
int64_t Optimizer::iterations() const { return state_->iterations; }

}  // namespace headrace::keras
