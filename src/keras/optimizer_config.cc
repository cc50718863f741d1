#include "keras/optimizer_config.h"

#include <utility>

#include "keras/layers/checks.h"
#include "keras/layers/config.h"
#include "keras/schedule_state.h"

namespace headrace::keras::internal {
namespace {

using nlohmann::json;

json RateJson(const OptimizerState& state) {
  if (!state.schedule) return ShortestDouble(state.learning_rate);
  return RateIsAFunction(state) ? json(ShortestDouble(RateOfStep(state))) : ScheduleJson(*state.schedule);
}

// Set, and not to a value that means "off".
bool IsOn(const json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && !found->is_null() && *found != false && *found != 0;
}

// The value, unless it is left out or null.
template <typename T>
void Read(const json& config, const char* key, T& value) {
  const auto found = config.find(key);
  if (found != config.end() && !found->is_null()) value = found->get<T>();
}

// The same of what Keras has None for.
template <typename T>
void ReadOrNone(const json& config, const char* key, T& value) {
  const auto found = config.find(key);
  if (found != config.end()) value = found->is_null() ? T(0) : found->get<T>();
}

// False for a schedule that is not here.
bool ReadRate(const json& config, OptimizerState& state) {
  const char* key = config.contains("learning_rate") ? "learning_rate" : "lr";
  const auto found = config.find(key);
  if (found == config.end() || !found->is_object()) {
    state.learning_rate = Number(config, key, -1);
    return true;
  }
  state.schedule = ScheduleFromJson(*found);
  return state.schedule.has_value();
}

// Settings of every optimizer, where they are used: older versions of Keras refuse those that they do not know.
void AddWhatIsOn(const OptimizerState& state, json& config) {
  const auto add = [&](const char* key, auto value) {
    if (value != 0) config[key] = value;
  };
  add("decay", ShortestDouble(state.decay));
  add("weight_decay", ShortestDouble(state.weight_decay));
  add("clipnorm", ShortestDouble(state.clipnorm));
  add("clipvalue", ShortestDouble(state.clipvalue));
  add("global_clipnorm", ShortestDouble(state.global_clipnorm));
  add("gradient_accumulation_steps", state.gradient_accumulation_steps);
  if (!state.use_ema) return;
  config["use_ema"] = true;
  config["ema_momentum"] = ShortestDouble(state.ema_momentum);
  add("ema_overwrite_frequency", state.ema_overwrite_frequency);
}

}  // namespace

bool RateIsAFunction(const OptimizerState& state) {
  return state.schedule && state.schedule->state()->class_name.empty();
}

json OptimizerConfig(const OptimizerState& state) {
  json config = {{"name", Lowercase(NameOf(state.kind))}, {"learning_rate", RateJson(state)}};
  for (const Setting& setting : SettingsOf(state.kind))
    config[setting.name] =
        setting.flag != nullptr ? json(state.*setting.flag) : json(ShortestDouble(state.*setting.number));
  // AdamW has a weight decay where nothing is said of it.
  if (state.kind == OptimizerState::Kind::kAdamw) config["weight_decay"] = ShortestDouble(state.weight_decay);
  AddWhatIsOn(state, config);
  return {{"class_name", NameOf(state.kind)}, {"config", std::move(config)}};
}

std::string OptimizerClass(const json& optimizer) {
  std::string name = optimizer.at("class_name").get<std::string>();
  name.erase(0, name.rfind('>') + 1);
  return Lowercase(name);
}

std::optional<Optimizer> OptimizerFromConfig(const json& optimizer) {
  const json& config = optimizer.at("config");
  if (IsOn(config, "loss_scale_factor")) return std::nullopt;
  Optimizer made(OptimizerClass(optimizer));  // with its defaults, where the file leaves something out
  OptimizerState& state = *made.state();
  if (!ReadRate(config, state)) return std::nullopt;
  for (const Setting& setting : SettingsOf(state.kind)) {
    if (setting.flag != nullptr)
      Read(config, setting.name, state.*setting.flag);
    else
      Read(config, setting.name, state.*setting.number);
  }
  ReadOrNone(config, "weight_decay", state.weight_decay);
  ReadOrNone(config, "clipnorm", state.clipnorm);
  ReadOrNone(config, "clipvalue", state.clipvalue);
  ReadOrNone(config, "global_clipnorm", state.global_clipnorm);
  Read(config, "use_ema", state.use_ema);
  Read(config, "ema_momentum", state.ema_momentum);
  ReadOrNone(config, "ema_overwrite_frequency", state.ema_overwrite_frequency);
  ReadOrNone(config, "gradient_accumulation_steps", state.gradient_accumulation_steps);
  Read(config, "decay", state.decay);
  CheckOptimizer(state);
  return made;
}

}  // namespace headrace::keras::internal
