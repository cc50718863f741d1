#include "jobs/hosting/deployment.h"

#include <nlohmann/json.hpp>

namespace headrace::jobs {

const Variant* Deployment::Find(const std::string& variant) const {
  for (const Variant& each : variants)
    if (each.name == variant) return &each;
  return nullptr;
}

std::string ToJson(const Deployment& deployment) {
  nlohmann::json variants = nlohmann::json::array();
  for (const Variant& variant : deployment.variants) {
    const HostedModel& model = variant.model;
    variants.push_back({{"name", variant.name},
                        {"type", variant.instance_type},
                        {"count", variant.count},
                        {"weight", variant.weight},
                        {"startup_seconds", variant.startup_seconds},
                        {"routing", variant.routing},
                        {"model",
                         {{"name", model.name},
                          {"image", model.image},
                          {"data", model.data},
                          {"is_prefix", model.is_prefix},
                          {"environment", model.environment},
                          {"notes", model.notes}}}});
  }
  return nlohmann::json{
      {"id", deployment.id}, {"config", deployment.config_name}, {"policy", deployment.policy}, {"variants", variants}}
      .dump();
}

Result<Deployment> ParseDeployment(const std::string& text) {
  Deployment deployment;
  try {
    const auto json = nlohmann::json::parse(text);
    deployment.id = json.at("id");
    deployment.config_name = json.at("config");
    deployment.policy = json.value("policy", "");
    for (const auto& from : json.at("variants")) {
      Variant variant;
      variant.name = from.at("name");
      variant.instance_type = from.at("type");
      variant.count = from.at("count");
      variant.weight = from.at("weight");
      variant.startup_seconds = from.at("startup_seconds");
      variant.routing = from.value("routing", "");
      const auto& model = from.at("model");
      variant.model.name = model.at("name");
      variant.model.image = model.at("image");
      variant.model.data = model.at("data");
      variant.model.is_prefix = model.at("is_prefix");
      variant.model.environment = model.at("environment");
      variant.model.notes = model.value("notes", std::vector<std::string>());
      deployment.variants.push_back(std::move(variant));
    }
  } catch (const nlohmann::json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "an endpoint's deployment cannot be read: {}", error.what());
  }
  return deployment;
}

}  // namespace headrace::jobs
