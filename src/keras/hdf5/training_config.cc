#include "keras/hdf5/training_config.h"

#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/layers/config.h"
#include "keras/losses/loss_state.h"
#include "keras/metrics/metric_state.h"

namespace headrace::keras::internal::hdf5 {
namespace {

using nlohmann::json;

json OptimizerJson(const OptimizerState& state) {
  json config = {{"name", Lowercase(NameOf(state.kind))}, {"learning_rate", ShortestDouble(state.learning_rate)}};
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

json LossJson(const Loss& loss) {
  const LossState& state = *loss.state();
  const auto by_name = FindLoss(state.name);
  if (by_name != nullptr && by_name->class_name == state.class_name && by_name->config == state.config &&
      by_name->reduction == state.reduction)
    return state.name;
  json config = state.config;
  config["name"] = state.name;
  config["reduction"] = state.reduction;
  return {{"class_name", state.class_name}, {"config", std::move(config)}};
}

// "Custom>Adam" -> "adam"
std::string ClassOf(const json& config) {
  std::string name = config.at("class_name").get<std::string>();
  name.erase(0, name.rfind('>') + 1);
  return Lowercase(name);
}

// Set, and not to a value that means "off".
bool IsOn(const json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && !found->is_null() && *found != false && *found != 0;
}

std::optional<Optimizer> OptimizerFromJson(const json& optimizer) {
  const json& config = optimizer.at("config");
  for (const char* key : {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "amsgrad", "centered"})
    if (IsOn(config, key)) return std::nullopt;
  const float rate = Number(config, config.contains("learning_rate") ? "learning_rate" : "lr", -1);
  const float decay = Number(config, "decay", 0);
  const std::string name = ClassOf(optimizer);
  if (name == "sgd")
    return SGD({.learning_rate = rate,
                .momentum = Number(config, "momentum", 0),
                .nesterov = config.value("nesterov", false),
                .decay = decay});
  if (name == "rmsprop")
    return RMSprop({.learning_rate = rate,
                    .rho = Number(config, "rho", 0.9f),
                    .momentum = Number(config, "momentum", 0),
                    .epsilon = Number(config, "epsilon", 1e-7f),
                    .decay = decay});
  if (name == "adam")
    return Adam({.learning_rate = rate,
                 .beta_1 = Number(config, "beta_1", 0.9f),
                 .beta_2 = Number(config, "beta_2", 0.999f),
                 .epsilon = Number(config, "epsilon", 1e-7f),
                 .decay = decay});
  return std::nullopt;
}

// Losses of several outputs are a list.
json LossesJson(const Compiled& compiled) {
  if (compiled.losses.size() == 1) return LossJson(*compiled.losses[0]);
  json losses = json::array();
  for (const auto& loss : compiled.losses) losses.push_back(loss ? LossJson(*loss) : json());
  return losses;
}

std::optional<Loss> LossFromJson(const json& loss) {
  if (loss.is_array()) return std::nullopt;
  if (loss.is_string())
    return FindLoss(loss.get<std::string>()) == nullptr ? std::nullopt : std::optional<Loss>(loss.get<std::string>());
  if (!loss.contains("class_name")) return std::nullopt;
  std::string name = loss.at("class_name").get<std::string>();
  name.erase(0, name.rfind('>') + 1);
  return LossFromConfig(name, loss.at("config"));
}

// Keras 2 nests them one list an output, and may write {"class_name": "MeanMetricWrapper", "config": {"name"}}.
std::vector<std::string> MetricsFromJson(const json& metrics) {
  std::vector<std::string> names;
  if (metrics.is_null()) return names;
  for (const json& metric : metrics) {
    if (metric.is_array()) {
      for (std::string& name : MetricsFromJson(metric)) names.push_back(std::move(name));
    } else {
      names.push_back(metric.is_object() ? metric.at("config").at("name").get<std::string>()
                                         : metric.get<std::string>());
    }
  }
  return names;
}

}  // namespace

json TrainingConfig(const Compiled& compiled) {
  std::vector<std::string> metrics;
  for (const Column& column : compiled.columns)
    if (!column.weighted && column.metric.state()->by_name) metrics.push_back(column.metric.name());
  return {{"loss", LossesJson(compiled)},  {"loss_weights", nullptr},
          {"metrics", std::move(metrics)}, {"weighted_metrics", nullptr},
          {"sample_weight_mode", nullptr}, {"optimizer_config", OptimizerJson(*compiled.optimizer.state())}};
}

std::optional<TrainingSettings> TrainingFromConfig(const json& config) {
  try {
    std::optional<Optimizer> optimizer = OptimizerFromJson(config.at("optimizer_config"));
    if (!optimizer) return std::nullopt;
    std::vector<Metric> metrics;
    if (config.contains("metrics"))
      for (const std::string& name : MetricsFromJson(config.at("metrics"))) metrics.emplace_back(name);
    return TrainingSettings{std::move(*optimizer), LossFromJson(config.at("loss")), std::move(metrics)};
  } catch (const json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace headrace::keras::internal::hdf5
