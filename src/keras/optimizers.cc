// Optimizers: configuration and its checks. What a step does is in optimizer_rules.cc.
#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/optimizer_rules.h"
#include "keras/optimizer_state.h"

namespace headrace::keras {
namespace internal {
namespace {

using State = OptimizerState;
using Kind = State::Kind;
using Range = Setting::Range;
using StatePtr = std::shared_ptr<State>;

template <typename Named>
Optimizer WithDefaults() {
  return Named();
}

struct KindOfOptimizer {
  Kind kind;
  const char* name;
  Optimizer (*with_defaults)();
  std::vector<Setting> settings;
};

const std::vector<Setting>& MomentsOfAdam() {
  static const std::vector<Setting> kSettings = {{"beta_1", &State::beta_1, Range::kFraction},
                                                 {"beta_2", &State::beta_2, Range::kFraction},
                                                 {"epsilon", &State::epsilon}};
  return kSettings;
}

std::vector<Setting> MomentsAndAmsgrad() {
  std::vector<Setting> settings = MomentsOfAdam();
  settings.push_back({.name = "amsgrad", .flag = &State::amsgrad});
  return settings;
}

const std::vector<KindOfOptimizer>& Kinds() {
  static const std::vector<KindOfOptimizer> kKinds = {
      {Kind::kSgd,
       "SGD",
       WithDefaults<SGD>,
       {{"momentum", &State::momentum, Range::kUnit}, {.name = "nesterov", .flag = &State::nesterov}}},
      {Kind::kRmsprop,
       "RMSprop",
       WithDefaults<RMSprop>,
       {{"rho", &State::rho, Range::kFraction},
        {"momentum", &State::momentum, Range::kUnit},
        {"epsilon", &State::epsilon},
        {.name = "centered", .flag = &State::centered}}},
      {Kind::kAdam, "Adam", WithDefaults<Adam>, MomentsAndAmsgrad()},
      {Kind::kAdamw, "AdamW", WithDefaults<AdamW>, MomentsAndAmsgrad()},
      {Kind::kAdamax, "Adamax", WithDefaults<Adamax>, MomentsOfAdam()},
      {Kind::kNadam, "Nadam", WithDefaults<Nadam>, MomentsOfAdam()},
      {Kind::kAdagrad,
       "Adagrad",
       WithDefaults<Adagrad>,
       {{"initial_accumulator_value", &State::initial_accumulator_value}, {"epsilon", &State::epsilon}}},
      {Kind::kAdadelta,
       "Adadelta",
       WithDefaults<Adadelta>,
       {{"rho", &State::rho, Range::kFraction}, {"epsilon", &State::epsilon}}},
      {Kind::kLion,
       "Lion",
       WithDefaults<Lion>,
       {{"beta_1", &State::beta_1, Range::kAboveZero}, {"beta_2", &State::beta_2, Range::kUnit}}},
      {Kind::kFtrl,
       "Ftrl",
       WithDefaults<Ftrl>,
       {{"learning_rate_power", &State::learning_rate_power, Range::kNotPositive},
        {"initial_accumulator_value", &State::initial_accumulator_value},
        {"l1_regularization_strength", &State::l1_regularization_strength},
        {"l2_regularization_strength", &State::l2_regularization_strength},
        {"l2_shrinkage_regularization_strength", &State::l2_shrinkage_regularization_strength},
        {"beta", &State::beta}}},
      {Kind::kLamb, "Lamb", WithDefaults<Lamb>, MomentsOfAdam()},
      {Kind::kScheduleFree,
       "ScheduleFreeAdamW",
       WithDefaults<ScheduleFreeAdamW>,
       {{"beta_1", &State::beta_1, Range::kAboveZero},
        {"beta_2", &State::beta_2, Range::kFraction},
        {"epsilon", &State::epsilon},
        {"warmup_steps", &State::warmup_steps}}},
      {Kind::kAdafactor,
       "Adafactor",
       WithDefaults<Adafactor>,
       {{"beta_2_decay", &State::beta_2_decay, Range::kNotPositive},
        {"epsilon_1", &State::epsilon_1},
        {"epsilon_2", &State::epsilon_2},
        {"clip_threshold", &State::clip_threshold, Range::kPositive},
        {.name = "relative_step", .flag = &State::relative_step}}}};
  return kKinds;
}

const KindOfOptimizer& Find(Kind kind) {
  return *std::find_if(Kinds().begin(), Kinds().end(), [&](const auto& known) { return known.kind == kind; });
}

const char* Wanted(Range range) {
  switch (range) {
    case Range::kNotNegative:
      return "a finite number of 0 or more";
    case Range::kFraction:
      return "0 or more, below 1";
    case Range::kUnit:
      return "0 to 1";
    case Range::kAboveZero:
      return "above 0, at most 1";
    case Range::kPositive:
      return "a finite number above 0";
    case Range::kNotPositive:
      return "a finite number of 0 or less";
  }
  return "";
}

bool IsIn(Range range, float value) {
  if (!std::isfinite(value)) return false;
  switch (range) {
    case Range::kNotNegative:
      return value >= 0;
    case Range::kFraction:
      return value >= 0 && value < 1;
    case Range::kUnit:
      return value >= 0 && value <= 1;
    case Range::kAboveZero:
      return value > 0 && value <= 1;
    case Range::kPositive:
      return value > 0;
    case Range::kNotPositive:
      return value <= 0;
  }
  return false;
}

void Check(const State& state, const char* setting, float value, Range range = Range::kNotNegative) {
  if (!IsIn(range, value))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted {}", NameOf(state.kind), setting, value,
                    Wanted(range));
}

void CheckRate(const State& state) {
  Check(state, "learning_rate", state.learning_rate);
  Check(state, "decay", state.decay);
  if (state.schedule && state.decay != 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: decay: found {} beside a schedule, wanted one of them: InverseTimeDecay does both",
                    NameOf(state.kind), state.decay);
}

void CheckClipping(const State& state) {
  const std::array<float, 3> values = {state.clipnorm, state.clipvalue, state.global_clipnorm};
  if (std::count_if(values.begin(), values.end(), [](float value) { return value != 0; }) > 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found clipnorm {}, clipvalue {} and global_clipnorm {}, wanted one of the three",
                    NameOf(state.kind), values[0], values[1], values[2]);
}

void CheckSteps(const State& state, const char* setting, int64_t value, int64_t least) {
  if (value != 0 && value < least)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted {} or more, or 0 for none",
                    NameOf(state.kind), setting, value, least);
}

}  // namespace

const char* NameOf(Kind kind) { return Find(kind).name; }
const std::vector<Setting>& SettingsOf(Kind kind) { return Find(kind).settings; }

void CheckOptimizer(const State& state) {
  CheckRate(state);
  for (const Setting& setting : SettingsOf(state.kind))
    if (setting.flag == nullptr) Check(state, setting.name, state.*setting.number, setting.range);
  Check(state, "weight_decay", state.weight_decay);
  Check(state, "clipnorm", state.clipnorm);
  Check(state, "clipvalue", state.clipvalue);
  Check(state, "global_clipnorm", state.global_clipnorm);
  CheckClipping(state);
  Check(state, "ema_momentum", state.ema_momentum, Range::kUnit);
  CheckSteps(state, "ema_overwrite_frequency", state.ema_overwrite_frequency, 1);
  CheckSteps(state, "gradient_accumulation_steps", state.gradient_accumulation_steps, 2);
}

float RateOfStep(const State& state) {
  if (state.schedule) return (*state.schedule)(state.iterations);
  return static_cast<float>(state.learning_rate /
                            (1.0 + static_cast<double>(state.decay) * static_cast<double>(state.iterations)));
}

void RequireSettableRate(const State& state, const char* who) {
  if (state.schedule)
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "{}: the learning rate of {} is a schedule's and cannot be set; give the optimizer a number as its "
                    "learning_rate",
                    who, NameOf(state.kind));
}

namespace {

// Settings that several kinds have go by their names.
template <typename Options>
StatePtr Make(Kind kind, const Options& options) {
  auto state = std::make_shared<State>();
  state->kind = kind;
  state->learning_rate = options.learning_rate.rate();
  state->schedule = options.learning_rate.schedule();
  state->weight_decay = options.weight_decay;
  state->clipnorm = options.clipnorm;
  state->clipvalue = options.clipvalue;
  state->global_clipnorm = options.global_clipnorm;
  state->use_ema = options.use_ema;
  state->ema_momentum = options.ema_momentum;
  state->ema_overwrite_frequency = options.ema_overwrite_frequency;
  state->gradient_accumulation_steps = options.gradient_accumulation_steps;
  if constexpr (requires { options.decay; }) state->decay = options.decay;
  if constexpr (requires { options.momentum; }) state->momentum = options.momentum;
  if constexpr (requires { options.nesterov; }) state->nesterov = options.nesterov;
  if constexpr (requires { options.rho; }) state->rho = options.rho;
  if constexpr (requires { options.beta_1; }) state->beta_1 = options.beta_1;
  if constexpr (requires { options.beta_2; }) state->beta_2 = options.beta_2;
  if constexpr (requires { options.epsilon; }) state->epsilon = options.epsilon;
  if constexpr (requires { options.warmup_steps; }) state->warmup_steps = static_cast<float>(options.warmup_steps);
  if constexpr (requires { options.centered; }) state->centered = options.centered;
  if constexpr (requires { options.amsgrad; }) state->amsgrad = options.amsgrad;
  if constexpr (requires { options.initial_accumulator_value; })
    state->initial_accumulator_value = options.initial_accumulator_value;
  if constexpr (std::is_same_v<Options, FtrlOptions>) {
    state->learning_rate_power = options.learning_rate_power;
    state->l1_regularization_strength = options.l1_regularization_strength;
    state->l2_regularization_strength = options.l2_regularization_strength;
    state->l2_shrinkage_regularization_strength = options.l2_shrinkage_regularization_strength;
    state->beta = options.beta;
  }
  if constexpr (std::is_same_v<Options, AdafactorOptions>) {
    state->beta_2_decay = options.beta_2_decay;
    state->epsilon_1 = options.epsilon_1;
    state->epsilon_2 = options.epsilon_2;
    state->clip_threshold = options.clip_threshold;
    state->relative_step = options.relative_step;
  }
  CheckOptimizer(*state);
  return state;
}

StatePtr MakeByName(const std::string& name) {
  const std::string lower = Lowercase(name);
  std::string names;
  for (const KindOfOptimizer& known : Kinds()) {
    if (lower == Lowercase(known.name)) return known.with_defaults().state();
    names += (names.empty() ? "" : ", ") + Lowercase(known.name);
  }
  throw MakeError(ErrorCode::kInvalidArgument, "optimizer: found \"{}\", wanted one of {}", name, names);
}

}  // namespace
}  // namespace internal

using Kind = internal::OptimizerState::Kind;
using internal::Make;

Optimizer::Optimizer(const char* name) : state_(internal::MakeByName(name)) {}
SGD::SGD(SGDOptions options) : Optimizer(Make(Kind::kSgd, options)) {}
RMSprop::RMSprop(RMSpropOptions options) : Optimizer(Make(Kind::kRmsprop, options)) {}
Adam::Adam(AdamOptions options) : Optimizer(Make(Kind::kAdam, options)) {}
AdamW::AdamW(AdamWOptions options) : Optimizer(Make(Kind::kAdamw, options)) {}
Adamax::Adamax(AdamaxOptions options) : Optimizer(Make(Kind::kAdamax, options)) {}
Nadam::Nadam(NadamOptions options) : Optimizer(Make(Kind::kNadam, options)) {}
Adagrad::Adagrad(AdagradOptions options) : Optimizer(Make(Kind::kAdagrad, options)) {}
Adadelta::Adadelta(AdadeltaOptions options) : Optimizer(Make(Kind::kAdadelta, options)) {}
Lion::Lion(LionOptions options) : Optimizer(Make(Kind::kLion, options)) {}
Ftrl::Ftrl(FtrlOptions options) : Optimizer(Make(Kind::kFtrl, options)) {}
Lamb::Lamb(LambOptions options) : Optimizer(Make(Kind::kLamb, options)) {}
ScheduleFreeAdamW::ScheduleFreeAdamW(ScheduleFreeAdamWOptions options)
    : Optimizer(Make(Kind::kScheduleFree, options)) {}
Adafactor::Adafactor(AdafactorOptions options) : Optimizer(Make(Kind::kAdafactor, options)) {}

std::string Optimizer::name() const { return internal::Lowercase(internal::NameOf(state_->kind)); }
float Optimizer::learning_rate() const {
  return state_->schedule ? internal::RateOfStep(*state_) : state_->learning_rate;
}
void Optimizer::set_learning_rate(float learning_rate) {
  internal::RequireSettableRate(*state_, "set_learning_rate");
  internal::Check(*state_, "learning_rate", learning_rate);
  state_->learning_rate = learning_rate;
}
int64_t Optimizer::iterations() const { return internal::UpdatesTaken(*state_); }

void Optimizer::exclude_from_weight_decay(std::vector<std::shared_ptr<Variable>> var_list,
                                          std::vector<std::string> var_names) {
  if (!state_->slots.empty() || state_->iterations != 0)
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "{}: exclude_from_weight_decay: found an optimizer that has trained, wanted one before its first "
                    "step",
                    internal::NameOf(state_->kind));
  state_->undecayed = std::move(var_list);
  state_->undecayed_names = std::move(var_names);
}

}  // namespace headrace::keras
