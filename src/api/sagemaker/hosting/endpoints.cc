// Endpoints: create, describe, update, delete. The row is written, then the hosting machinery is told.
#include <algorithm>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/hosting/shapes.h"
#include "api/sagemaker/request.h"

namespace headrace::api::sagemaker {
namespace {

void Tell(const SageMakerOptions& options, const store::Endpoint& endpoint) {
  if (options.wake_endpoint) options.wake_endpoint(endpoint.account_id, endpoint.name);
}

// Traffic moves at once when the new instances answer, and comes back when they do not; nothing else is offered.
void CheckDeploymentConfig(const Json& request, Violations& violations) {
  const auto config = request.find("DeploymentConfig");
  if (config == request.end() || !config->is_object()) return;
  RefuseMembers(*config, "deploymentConfig", {{"RollingUpdatePolicy", "all instances are exchanged at once here"}},
                violations);
  const Json policy = config->value("BlueGreenUpdatePolicy", Json::object());
  const std::string type = TextOr(policy.value("TrafficRoutingConfiguration", Json::object()), "Type", "ALL_AT_ONCE");
  if (type != "ALL_AT_ONCE")
    violations.Add("deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.type", type,
                   "Member must be ALL_AT_ONCE here");
  RefuseMembers(config->value("AutoRollbackConfiguration", Json::object()),
                "deploymentConfig.autoRollbackConfiguration", {{"Alarms", "there are no alarms here"}}, violations);
}

Json DeployedImages(const jobs::Variant& variant, UnixMillis since) {
  return Json::array({{{"SpecifiedImage", variant.model.image},
                       {"ResolvedImage", variant.model.image},
                       {"ResolutionTime", Seconds(since)}}});
}

void ShowRouting(const jobs::Variant& variant, Json& shown) {
  if (!variant.routing.empty()) shown["RoutingConfig"] = {{"RoutingStrategy", variant.routing}};
}

// What serves now, and what the update under way makes of it: `wanted` is `serving` when there is none.
Json DescribeVariants(const jobs::Deployment& serving, const jobs::Deployment& wanted,
                      const store::Endpoint& endpoint) {
  Json list = Json::array();
  for (const auto& variant : serving.variants) {
    const jobs::Variant* changed = wanted.Find(variant.name);
    const jobs::Variant& desired = changed == nullptr ? variant : *changed;
    Json shown{{"VariantName", variant.name},           {"DeployedImages", DeployedImages(variant, endpoint.created)},
               {"CurrentWeight", variant.weight},       {"DesiredWeight", desired.weight},
               {"CurrentInstanceCount", variant.count}, {"DesiredInstanceCount", desired.count}};
    ShowRouting(variant, shown);
    if (endpoint.status == "Updating")
      shown["VariantStatus"] = Json::array({{{"Status", "Updating"}, {"StartTime", Seconds(endpoint.modified)}}});
    list.push_back(std::move(shown));
  }
  return list;
}

// A deployment of other instances that do not serve yet.
Json DescribePending(const jobs::Deployment& wanted, const store::Endpoint& endpoint) {
  Json list = Json::array();
  for (const auto& variant : wanted.variants) {
    Json shown{{"VariantName", variant.name},
               {"DeployedImages", DeployedImages(variant, endpoint.modified)},
               {"InstanceType", variant.instance_type},
               {"CurrentWeight", 0.0},
               {"DesiredWeight", variant.weight},
               {"CurrentInstanceCount", 0},
               {"DesiredInstanceCount", variant.count},
               {"VariantStatus", Json::array({{{"Status", "Creating"}, {"StartTime", Seconds(endpoint.modified)}}})}};
    ShowRouting(variant, shown);
    list.push_back(std::move(shown));
  }
  return {{"EndpointConfigName", wanted.config_name},
          {"ProductionVariants", std::move(list)},
          {"StartTime", Seconds(endpoint.modified)}};
}

// How it was asked for to be deployed, with `before` in force until now.
std::string PolicyOf(const Json& request, const std::string& before) {
  if (const auto given = request.find("DeploymentConfig"); given != request.end()) return RequestText(*given);
  return BooleanOr(request, "RetainDeploymentConfig", false) ? before : "";
}

// The endpoint may be changed now, or why not.
Reply<void> CheckInService(const store::Endpoint& endpoint) {
  if (endpoint.status == "InService") return {};
  if (endpoint.status == "Creating" || endpoint.status == "Updating" || endpoint.status == "Deleting")
    return aws::Refuse("ValidationException", fmt::format("Cannot update in-progress endpoint \"{}\". (status {})",
                                                          endpoint.arn, endpoint.status));
  return aws::Refuse("ValidationException", fmt::format("Cannot update endpoint \"{}\" in status {}: it can only be "
                                                        "deleted.",
                                                        endpoint.arn, endpoint.status));
}

// Writes `wanted` as the endpoint's deployment; what serves until then becomes its previous one.
Reply<store::Endpoint> BeginUpdate(const SageMakerOptions& options, const Call& call, const store::Endpoint& endpoint,
                                   const jobs::Deployment& wanted) {
  std::optional<aws::ServiceError> refused;
  auto updated = store::Endpoints(options.database)
                     .Update(endpoint.account_id, endpoint.name, [&](store::Endpoint& row) -> Status {
                       if (auto allowed = CheckInService(row); !allowed) {
                         refused = allowed.error();
                         return {};
                       }
                       row.status = "Updating";
                       row.previous = row.deployment;
                       row.deployment = jobs::ToJson(wanted);
                       row.config_name = wanted.config_name;
                       row.modified = call.now;
                       return {};
                     });
  if (refused) return tl::unexpected(std::move(*refused));
  if (!updated && updated.error().code() == ErrorCode::kNotFound) return CouldNotFind("endpoint", endpoint.arn);
  if (!updated) return tl::unexpected(ServerFault(updated.error()));
  return std::move(*updated);
}

// RetainAllVariantProperties: weights and counts as they are now, for variants of the same name.
void KeepProperties(const Json& request, const jobs::Deployment& current, jobs::Deployment& wanted) {
  if (!BooleanOr(request, "RetainAllVariantProperties", false)) return;
  bool weights = true, counts = true;
  if (const auto excluded = request.find("ExcludeRetainedVariantProperties"); excluded != request.end()) {
    for (const auto& property : *excluded) {
      if (TextOr(property, "VariantPropertyType") == "DesiredWeight") weights = false;
      if (TextOr(property, "VariantPropertyType") == "DesiredInstanceCount") counts = false;
    }
  }
  for (auto& variant : wanted.variants) {
    const jobs::Variant* kept = current.Find(variant.name);
    if (kept == nullptr) continue;
    if (weights) variant.weight = kept->weight;
    if (counts) variant.count = kept->count;
  }
}

}  // namespace

Reply<Json> CreateEndpoint(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = CreateEndpointShape();
  Json request = WithoutNulls(input);
  Violations violations;
  if (auto error = Check(kShape, request, violations)) return tl::unexpected(std::move(*error));
  CheckDeploymentConfig(request, violations);
  CheckTagKeys(request, violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());

  store::Endpoint endpoint;
  endpoint.account_id = call.caller.account_id;
  endpoint.name = request["EndpointName"];
  endpoint.arn = HostingArn(call, "endpoint", endpoint.name);
  HEADRACE_REPLY(const auto taken, store::Endpoints(options.database).Find(endpoint.account_id, endpoint.name));
  if (taken) return AlreadyExisting("endpoint", endpoint.arn);
  HEADRACE_REPLY_PASS(const auto config, FindEndpointConfig(options, call, request["EndpointConfigName"]));
  HEADRACE_REPLY_PASS(auto deployment, DeploymentOf(options, call, config));
  deployment.policy = PolicyOf(request, "");
  if (auto allowed = CheckInstanceLimit(options, call, deployment, {}); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  endpoint.config_name = config.name;
  endpoint.created = endpoint.modified = call.now;
  endpoint.deployment = jobs::ToJson(deployment);
  const auto tags = TakeTags(request);
  bool inserted = false;
  HEADRACE_REPLY_TRY(options.database.Write([&](store::Connection& db) -> Status {
    HEADRACE_ASSIGN(inserted, store::Endpoints::InsertIn(db, endpoint));
    return inserted ? store::Tags::AddIn(db, endpoint.account_id, endpoint.arn, tags) : Status();
  }));
  if (!inserted) return AlreadyExisting("endpoint", endpoint.arn);
  Tell(options, endpoint);
  return Json{{"EndpointArn", endpoint.arn}};
}

Reply<Json> DescribeEndpoint(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"EndpointName", EndpointNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto endpoint, FindEndpoint(options, call, input["EndpointName"]));
  Json reply{{"EndpointName", endpoint.name},
             {"EndpointArn", endpoint.arn},
             {"EndpointConfigName", endpoint.config_name},
             {"EndpointStatus", endpoint.status},
             {"CreationTime", Seconds(endpoint.created)},
             {"LastModifiedTime", Seconds(endpoint.modified)}};
  if (!endpoint.failure_reason.empty()) reply["FailureReason"] = endpoint.failure_reason;
  HEADRACE_REPLY(const auto wanted, jobs::ParseDeployment(endpoint.deployment));
  if (!wanted.policy.empty()) reply["LastDeploymentConfig"] = Json::parse(wanted.policy);
  if (endpoint.status == "Creating") reply["PendingDeploymentSummary"] = DescribePending(wanted, endpoint);
  if (endpoint.status == "Creating" || endpoint.status == "Failed") return reply;
  if (endpoint.previous.empty()) {
    reply["ProductionVariants"] = DescribeVariants(wanted, wanted, endpoint);
    return reply;
  }
  HEADRACE_REPLY(const auto serving, jobs::ParseDeployment(endpoint.previous));
  reply["ProductionVariants"] = DescribeVariants(serving, wanted, endpoint);
  reply["EndpointConfigName"] = serving.config_name;
  if (endpoint.status == "Updating" && wanted.id != serving.id)
    reply["PendingDeploymentSummary"] = DescribePending(wanted, endpoint);
  return reply;
}

Reply<Json> UpdateEndpoint(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = UpdateEndpointShape();
  const Json request = WithoutNulls(input);
  Violations violations;
  if (auto error = Check(kShape, request, violations)) return tl::unexpected(std::move(*error));
  CheckDeploymentConfig(request, violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());
  HEADRACE_REPLY_PASS(const auto endpoint, FindEndpoint(options, call, request["EndpointName"]));
  if (auto allowed = CheckInService(endpoint); !allowed) return tl::unexpected(std::move(allowed.error()));
  HEADRACE_REPLY_PASS(const auto config, FindEndpointConfig(options, call, request["EndpointConfigName"]));
  HEADRACE_REPLY_PASS(auto wanted, DeploymentOf(options, call, config));
  HEADRACE_REPLY(const auto current, jobs::ParseDeployment(endpoint.deployment));
  // Never that of an earlier update, also one that was taken back.
  wanted.id = std::max<int64_t>(current.id + 1, call.now);
  wanted.policy = PolicyOf(request, current.policy);
  KeepProperties(request, current, wanted);
  if (auto allowed = CheckInstanceLimit(options, call, wanted, endpoint.name); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  HEADRACE_REPLY_PASS(const auto updated, BeginUpdate(options, call, endpoint, wanted));
  Tell(options, updated);
  return Json{{"EndpointArn", endpoint.arn}};
}

Reply<Json> UpdateEndpointWeightsAndCapacities(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = UpdateWeightsShape();
  const Json request = WithoutNulls(input);
  if (auto error = Validate(kShape, request)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto endpoint, FindEndpoint(options, call, request["EndpointName"]));
  if (auto allowed = CheckInService(endpoint); !allowed) return tl::unexpected(std::move(allowed.error()));
  HEADRACE_REPLY(auto wanted, jobs::ParseDeployment(endpoint.deployment));
  Violations violations;
  const Json& changes = request["DesiredWeightsAndCapacities"];
  for (size_t i = 0; i < changes.size(); ++i) {
    const std::string path = fmt::format("desiredWeightsAndCapacities.{}.member", i + 1);
    RefuseMembers(changes[i], path, {{"ServerlessUpdateConfig", "endpoints have instances here"}}, violations);
    const std::string name = TextOr(changes[i], "VariantName");
    const auto variant = std::find_if(wanted.variants.begin(), wanted.variants.end(),
                                      [&](const jobs::Variant& each) { return each.name == name; });
    if (variant == wanted.variants.end()) {
      violations.Add(path + ".variantName", name, "Member must name a variant of the endpoint");
      continue;
    }
    if (CheckWeight(changes[i], "DesiredWeight", path + ".desiredWeight", violations))
      variant->weight = changes[i]["DesiredWeight"];
    const int64_t count = IntegerOr(changes[i], "DesiredInstanceCount", variant->count);
    if (count < 1)
      violations.Add(path + ".desiredInstanceCount", count, "Member must have value greater than or equal to 1");
    variant->count = static_cast<int>(std::min<int64_t>(count, 1000));
  }
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());
  if (auto allowed = CheckInstanceLimit(options, call, wanted, endpoint.name); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  HEADRACE_REPLY_PASS(const auto updated, BeginUpdate(options, call, endpoint, wanted));
  Tell(options, updated);
  return Json{{"EndpointArn", endpoint.arn}};
}

// In every state: what has begun is broken off.
Reply<Json> DeleteEndpoint(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"EndpointName", EndpointNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto endpoint, FindEndpoint(options, call, input["EndpointName"]));
  const auto updated = store::Endpoints(options.database)
                           .Update(endpoint.account_id, endpoint.name, [&](store::Endpoint& row) -> Status {
                             row.status = "Deleting";
                             row.modified = call.now;
                             return {};
                           });
  if (!updated && updated.error().code() == ErrorCode::kNotFound) return CouldNotFind("endpoint", endpoint.arn);
  if (!updated) return tl::unexpected(ServerFault(updated.error()));
  Tell(options, *updated);
  return Json::object();
}

}  // namespace headrace::api::sagemaker
