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

// Nothing for a schedule that is not here.
std::optional<LearningRate> RateFromJson(const json& config) {
  const char* key = config.contains("learning_rate") ? "learning_rate" : "lr";
  const auto found = config.find(key);
  if (found == config.end() || !found->is_object()) return LearningRate(Number(config, key, -1));
  const auto schedule = ScheduleFromJson(*found);
  return schedule ? std::optional<LearningRate>(*schedule) : std::nullopt;
}

}  // namespace

bool RateIsAFunction(const OptimizerState& state) {
  return state.schedule && state.schedule->state()->class_name.empty();
}

json OptimizerConfig(const OptimizerState& state) {
  json config = {{"name", Lowercase(NameOf(state.kind))}, {"learning_rate", RateJson(state)}};
  switch (state.kind) {
    case OptimizerState::Kind::kSgd:
      config["momentum"] = ShortestDouble(state.momentum);
      config["nesterov"] = state.nesterov;
      break;
    case OptimizerState::Kind::kRmsprop:
      config["rho"] = ShortestDouble(state.rho);
      config["momentum"] = ShortestDouble(state.momentum);
      config["epsilon"] = ShortestDouble(state.epsilon);
      config["centered"] = false;
      break;
    case OptimizerState::Kind::kAdam:
      config["beta_1"] = ShortestDouble(state.beta_1);
      config["beta_2"] = ShortestDouble(state.beta_2);
      config["epsilon"] = ShortestDouble(state.epsilon);
      config["amsgrad"] = false;
      break;
  }
  // Only when it is used: Keras 3 warns about it, some versions of Keras 2 refuse it.
  if (state.decay != 0) config["decay"] = ShortestDouble(state.decay);
  return {{"class_name", NameOf(state.kind)}, {"config", std::move(config)}};
}

std::string OptimizerClass(const json& config) {
  std::string name = config.at("class_name").get<std::string>();
  name.erase(0, name.rfind('>') + 1);
  return Lowercase(name);
}

std::optional<Optimizer> OptimizerFromConfig(const json& optimizer) {
  const json& config = optimizer.at("config");
  for (const char* key : {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "amsgrad", "centered"})
    if (IsOn(config, key)) return std::nullopt;
  const auto rate = RateFromJson(config);
  if (!rate) return std::nullopt;
  const float decay = Number(config, "decay", 0);
  const std::string name = OptimizerClass(optimizer);
  if (name == "sgd")
    return SGD({.learning_rate = *rate,
                .momentum = Number(config, "momentum", 0),
                .nesterov = config.value("nesterov", false),
                .decay = decay});
  if (name == "rmsprop")
    return RMSprop({.learning_rate = *rate,
                    .rho = Number(config, "rho", 0.9f),
                    .momentum = Number(config, "momentum", 0),
                    .epsilon = Number(config, "epsilon", 1e-7f),
                    .decay = decay});
  if (name == "adam")
    return Adam({.learning_rate = *rate,
                 .beta_1 = Number(config, "beta_1", 0.9f),
                 .beta_2 = Number(config, "beta_2", 0.999f),
                 .epsilon = Number(config, "epsilon", 1e-7f),
                 .decay = decay});
  return std::nullopt;
}

}  // namespace headrace::keras::internal
