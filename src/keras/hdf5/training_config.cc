#include "keras/hdf5/training_config.h"

#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/losses/loss_state.h"
#include "keras/metrics/metric_state.h"
#include "keras/optimizer_config.h"

namespace headrace::keras::internal::hdf5 {
namespace {

using nlohmann::json;

// Set beside the optimizer where its rate is a function that no file keeps: Keras reads the rate of now instead.
constexpr const char* kRateIsAFunction = "headrace_rate_is_a_function";

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
  const OptimizerState& optimizer = *compiled.optimizer.state();
  json config = {{"loss", LossesJson(compiled)},  {"loss_weights", nullptr},
                 {"metrics", std::move(metrics)}, {"weighted_metrics", nullptr},
                 {"sample_weight_mode", nullptr}, {"optimizer_config", OptimizerConfig(optimizer)}};
  if (RateIsAFunction(optimizer)) config[kRateIsAFunction] = true;
  return config;
}

bool IsOfOptimizer(const json& config, const OptimizerState& optimizer) {
  const auto found = config.find("optimizer_config");
  return found != config.end() && found->is_object() && found->contains("class_name") &&
         found->at("class_name").is_string() && OptimizerClass(*found) == Lowercase(NameOf(optimizer.kind));
}

std::optional<TrainingSettings> TrainingFromConfig(const json& config) {
  try {
    if (config.contains(kRateIsAFunction)) return std::nullopt;
    std::optional<Optimizer> optimizer = OptimizerFromConfig(config.at("optimizer_config"));
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
