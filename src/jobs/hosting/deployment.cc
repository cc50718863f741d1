#include "jobs/hosting/deployment.h"

#include <nlohmann/json.hpp>

#include "jobs/directory/json_members.h"

namespace headrace::jobs {

using nlohmann::json;

const Variant* Deployment::Find(const std::string& variant) const {
  for (const Variant& each : variants)
    if (each.name == variant) return &each;
  return nullptr;
}

template <typename Members>
void Describe(Members& members, HostedModel& model) {
  members("name", model.name);
  members("image", model.image);
  members("data", model.data);
  members("is_prefix", model.is_prefix);
  members("environment", model.environment);
  members.Newer("notes", model.notes);
}

static void to_json(json& into, const HostedModel& model) { WriteMembers(into, model); }
static void from_json(const json& from, HostedModel& model) { ReadMembers(from, model); }

template <typename Members>
void Describe(Members& members, Variant& variant) {
  members("name", variant.name);
  members("type", variant.instance_type);
  members("count", variant.count);
  members("weight", variant.weight);
  members("startup_seconds", variant.startup_seconds);
  members.Newer("routing", variant.routing);
  members("model", variant.model);
}

static void to_json(json& into, const Variant& variant) { WriteMembers(into, variant); }
static void from_json(const json& from, Variant& variant) { ReadMembers(from, variant); }

template <typename Members>
void Describe(Members& members, Deployment& deployment) {
  members("id", deployment.id);
  members("config", deployment.config_name);
  members.Newer("policy", deployment.policy);
  members("variants", deployment.variants);
}

std::string ToJson(const Deployment& deployment) {
  json into;
  WriteMembers(into, deployment);
  return into.dump();
}

Result<Deployment> ParseDeployment(const std::string& text) {
  try {
    Deployment deployment;
    ReadMembers(json::parse(text), deployment);
    return deployment;
  } catch (const json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "an endpoint's deployment cannot be read: {}", error.what());
  }
}

}  // namespace headrace::jobs
