#include "keras/optimizer_rules.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "keras/layers/config.h"
#include "keras/packed.h"

namespace headrace::keras::internal {
namespace {

using tensor::UpdateArgs;
using tensor::UpdateRule;
using Kind = OptimizerState::Kind;
using Groups = std::vector<std::vector<SlotSpec>>;

// Slots of the optimizer itself, without those that every optimizer may have.
Groups OwnSlots(const OptimizerState& o) {
  Groups groups;
  switch (o.kind) {
    case Kind::kSgd:
      if (o.momentum != 0) groups.push_back({{"momentum"}});
      break;
    case Kind::kRmsprop:
      groups.push_back({{"velocity"}});
      if (o.momentum != 0) groups.push_back({{"momentum"}});
      if (o.centered) groups.push_back({{"average_gradient"}});
      break;
    case Kind::kAdam:
    case Kind::kAdamw:
      groups.push_back({{"momentum"}, {"velocity"}});
      if (o.amsgrad) groups.push_back({{"velocity_hat"}});
      break;
    case Kind::kNadam:
    case Kind::kLamb:
      groups.push_back({{"momentum"}, {"velocity"}});
      break;
    case Kind::kScheduleFree:
      groups.push_back({{.name = "momentum", .starts_as_variable = true}, {"velocity"}});
      break;
    case Kind::kAdafactor:
      groups.push_back({{"r", 0, SlotSpec::Part::kRows}, {"c", 0, SlotSpec::Part::kColumns}, {"velocity"}});
      break;
    case Kind::kAdamax:
      groups.push_back({{"momentum"}, {"norm"}});
      break;
    case Kind::kAdagrad:
      groups.push_back({{"accumulator", o.initial_accumulator_value}});
      break;
    case Kind::kAdadelta:
      groups.push_back({{"accumulated_grad"}, {"accumulated_delta_var"}});
      break;
    case Kind::kLion:
      groups.push_back({{"momentum"}});
      break;
    case Kind::kFtrl:
      groups.push_back({{"accumulator", o.initial_accumulator_value}, {"linear"}});
      break;
  }
  return groups;
}

// In the order of the rule's slots (tensor/update.h); "" for one that is left out.
std::vector<std::string> SlotsOfRule(const OptimizerState& o) {
  switch (o.kind) {
    case Kind::kSgd:
    case Kind::kLion:
      return {"momentum"};
    case Kind::kRmsprop:
      return {"velocity", "momentum", "average_gradient"};
    case Kind::kAdam:
    case Kind::kAdamw:
    case Kind::kNadam:
    case Kind::kLamb:
    case Kind::kScheduleFree:
      return {"momentum", "velocity", "velocity_hat"};
    case Kind::kAdafactor:
      return {"velocity", "r", "c"};
    case Kind::kAdamax:
      return {"momentum", "norm"};
    case Kind::kAdagrad:
      return {"accumulator"};
    case Kind::kAdadelta:
      return {"accumulated_grad", "accumulated_delta_var"};
    case Kind::kFtrl:
      return {"accumulator", "linear"};
  }
  return {};
}

double Power(float base, int64_t exponent) { return std::pow(static_cast<double>(base), exponent); }

// lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)
float AdamRate(const OptimizerState& o, float lr, int64_t t) {
  return static_cast<float>(lr * std::sqrt(1 - Power(o.beta_2, t)) / (1 - Power(o.beta_1, t)));
}

// Of the number that was written, which a float is a little off.
tensor::MeanShare ShareOf(float kept) { return {kept, static_cast<float>(1 - ShortestDouble(kept))}; }

// Nadam's share of the momentum in step t.
double Share(const OptimizerState& o, int64_t t) { return o.beta_1 * (1 - 0.5 * Power(0.96f, t)); }

void SetNadam(const OptimizerState& o, int64_t t, UpdateArgs& args) {
  const double product = NadamProduct(o, t), next = Share(o, t + 1);
  args.m_factor = static_cast<float>(next / (1 - product * next));
  args.g_factor = static_cast<float>((1 - Share(o, t)) / (1 - product));
  args.v_factor = static_cast<float>(1 / (1 - Power(o.beta_2, t)));
}

void SetAdafactor(const OptimizerState& o, int64_t t, UpdateArgs& args) {
  args.lr = std::min(args.lr, 1 / std::sqrt(static_cast<float>(t)));
  args.rho = static_cast<float>(1 - std::pow(static_cast<double>(t), static_cast<double>(o.beta_2_decay)));
  args.epsilon = o.epsilon_1;
  args.epsilon_2 = o.epsilon_2;
  args.clip_threshold = o.clip_threshold;
}

void SetScheduleFree(const OptimizerState& o, int64_t t, UpdateArgs& args) {
  const auto step = static_cast<float>(t);
  if (o.warmup_steps > 0) args.lr *= std::min(step / o.warmup_steps, 1.0f);
  args.v_factor = static_cast<float>(1 / (1 - Power(o.beta_2, t)));
  args.g_factor = 1 / step;
}

UpdateRule RuleOf(Kind kind) {
  switch (kind) {
    case Kind::kSgd:
      return UpdateRule::kSgd;
    case Kind::kRmsprop:
      return UpdateRule::kRmsprop;
    case Kind::kAdam:
    case Kind::kAdamw:
      return UpdateRule::kAdam;
    case Kind::kAdamax:
      return UpdateRule::kAdamax;
    case Kind::kNadam:
      return UpdateRule::kNadam;
    case Kind::kAdagrad:
      return UpdateRule::kAdagrad;
    case Kind::kAdadelta:
      return UpdateRule::kAdadelta;
    case Kind::kLion:
      return UpdateRule::kLion;
    case Kind::kFtrl:
      return UpdateRule::kFtrl;
    case Kind::kLamb:
      return UpdateRule::kLamb;
    case Kind::kAdafactor:
      return UpdateRule::kAdafactor;
    case Kind::kScheduleFree:
      return UpdateRule::kScheduleFree;
  }
  return UpdateRule::kKeep;
}

}  // namespace

float NadamProduct(const OptimizerState& o, int64_t t) {
  OptimizerState::MomentumProduct& known = o.momentum_product;
  if (known.steps > t) known = {};
  while (known.steps < t) known.value *= static_cast<float>(Share(o, ++known.steps));  // in float32, as Keras keeps it
  return known.value;
}

Groups SlotGroups(const OptimizerState& state) {
  Groups groups;
  if (state.use_ema) groups.push_back({{kAverageSlot}});
  if (state.gradient_accumulation_steps > 1) groups.push_back({{kAccumulatorSlot}});
  for (auto& group : OwnSlots(state)) groups.push_back(std::move(group));
  return groups;
}

std::vector<SlotSpec> SlotsOf(const OptimizerState& state) {
  std::vector<SlotSpec> slots;
  for (const auto& group : SlotGroups(state)) slots.insert(slots.end(), group.begin(), group.end());
  return slots;
}

int64_t UpdatesTaken(const OptimizerState& state) {
  return state.iterations / std::max<int64_t>(state.gradient_accumulation_steps, 1);
}

UpdateArgs StepOf(const OptimizerState& o) {
  const int64_t t = UpdatesTaken(o) + 1;
  UpdateArgs args{.rule = RuleOf(o.kind), .lr = RateOfStep(o)};
  args.momentum = o.momentum;
  const bool in_float32 =
      o.kind == Kind::kNadam || o.kind == Kind::kLion || o.kind == Kind::kScheduleFree;  // Keras's 1 - beta
  args.rho = ShareOf(o.rho);
  args.beta_1 = in_float32 ? o.beta_1 : ShareOf(o.beta_1);
  args.beta_2 = in_float32 ? o.beta_2 : ShareOf(o.beta_2);
  args.epsilon = o.epsilon;
  args.nesterov = o.nesterov;
  if (o.kind == Kind::kAdam || o.kind == Kind::kAdamw) args.lr = AdamRate(o, args.lr, t);
  if (o.kind == Kind::kNadam) SetNadam(o, t, args);
  if (o.kind == Kind::kAdamax) args.lr = static_cast<float>(args.lr / (1 - Power(o.beta_1, t)));
  if (o.kind == Kind::kFtrl) {
    args.power = -o.learning_rate_power;
    args.l1 = o.l1_regularization_strength;
    args.l2 = o.l2_regularization_strength + o.beta / (2 * args.lr);
    args.shrinkage = o.l2_shrinkage_regularization_strength;
  }
  if (o.kind == Kind::kLamb) {
    args.m_factor = static_cast<float>(1 / (1 - Power(o.beta_1, t)));
    args.v_factor = static_cast<float>(1 / (1 - Power(o.beta_2, t)));
  }
  if (o.kind == Kind::kAdafactor) SetAdafactor(o, t, args);
  if (o.kind == Kind::kScheduleFree) SetScheduleFree(o, t, args);
  return args;
}

void PointAtSlots(const OptimizerState& o, size_t variable, UpdateArgs& args) {
  size_t place = 0;
  for (const std::string& wanted : SlotsOfRule(o)) {
    for (const Slot& slot : o.slots)
      if (slot.name == wanted) args.slots[place] = const_cast<float*>(slot.values[variable].data<float>());
    ++place;
  }
}

bool TakesVariablesOneByOne(const OptimizerState& o) { return o.kind == Kind::kLamb || o.kind == Kind::kAdafactor; }

void SetMatrix(const Shape& variable, UpdateArgs& args) {
  if (variable.rank() < 2) return;
  args.rows = variable[variable.rank() - 2];
  args.columns = variable[variable.rank() - 1];
}

Shape ShapeOfSlot(const SlotSpec& slot, const Shape& variable) {
  if (slot.part == SlotSpec::Part::kAll) return variable;
  if (variable.rank() < 2) return {};
  std::vector<int64_t> dims = variable.dims();
  dims.erase(dims.end() - (slot.part == SlotSpec::Part::kRows ? 1 : 2));
  return Shape(std::move(dims));
}

void StartAsVariables(OptimizerState& state, const std::vector<VariablePtr>& variables) {
  const std::vector<SlotSpec> specs = SlotsOf(state);
  for (size_t i = 0; i < state.slots.size(); ++i) {
    if (!specs[i].starts_as_variable) continue;
    for (size_t j = 0; j < variables.size(); ++j)
      std::memcpy(state.slots[i].values[j].raw(), variables[j]->value.raw(), variables[j]->value.bytes());
  }
}

void MakeSlots(OptimizerState& state, const std::vector<VariablePtr>& variables) {
  state.slots.clear();
  for (const SlotSpec& spec : SlotsOf(state)) {
    std::vector<Shape> shapes;
    for (const VariablePtr& variable : variables) shapes.push_back(ShapeOfSlot(spec, variable->value.shape()));
    PackedTensors packed = PackTensors(shapes);
    std::fill_n(packed.buffer.data<float>(), packed.buffer.size(), spec.initial);
    state.slots.push_back({spec.name, std::move(packed.views)});
  }
  StartAsVariables(state, variables);
}

bool Decays(const OptimizerState& state, const Variable& variable) {
  const auto& names = state.undecayed_names;
  const std::string name = variable.name.substr(variable.name.rfind('/') + 1);  // all of it where there is no '/'
  return std::none_of(state.undecayed.begin(), state.undecayed.end(),
                      [&](const auto& left_out) { return left_out.get() == &variable; }) &&
         std::none_of(names.begin(), names.end(),
                      [&](const std::string& word) { return name.find(word) != std::string::npos; });
}

}  // namespace headrace::keras::internal
