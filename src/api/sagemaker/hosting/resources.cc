#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/request.h"
#include "base/processors.h"
#include "jobs/request/member_effects.h"

namespace headrace::api::sagemaker {
namespace {

using Kind = store::HostingResources::Kind;

constexpr int kMostInstances = 20;  // of all endpoints of an account
constexpr int64_t kOfAProcessor =
    16;  // of all accounts together: each is a process with threads and a model of its own

int64_t MostOfTheMachine() {
  return std::max<int64_t>(2 * kMostInstances, kOfAProcessor * static_cast<int64_t>(Processors().size()));
}

}  // namespace

std::string HostingArn(const Call& call, const std::string& kind, const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return fmt::format("arn:aws:sagemaker:{}:{}:{}/{}", call.region, call.caller.account_id, kind, lower);
}

tl::unexpected<aws::ServiceError> CouldNotFind(const std::string& what, const std::string& arn) {
  return aws::Refuse("ValidationException", fmt::format("Could not find {} \"{}\".", what, arn));
}

tl::unexpected<aws::ServiceError> AlreadyExisting(const std::string& what, const std::string& arn) {
  return aws::Refuse("ValidationException", fmt::format("Cannot create already existing {} \"{}\".", what, arn));
}

Reply<store::HostingResource> FindModel(const SageMakerOptions& options, const Call& call, const std::string& name) {
  HEADRACE_REPLY(auto found,
                 store::HostingResources(options.database, Kind::kModel).Find(call.caller.account_id, name));
  if (!found) return CouldNotFind("model", HostingArn(call, "model", name));
  return std::move(*found);
}

Reply<store::HostingResource> FindEndpointConfig(const SageMakerOptions& options, const Call& call,
                                                 const std::string& name) {
  HEADRACE_REPLY(auto found,
                 store::HostingResources(options.database, Kind::kEndpointConfig).Find(call.caller.account_id, name));
  if (!found) return CouldNotFind("endpoint configuration", HostingArn(call, "endpoint-config", name));
  return std::move(*found);
}

Reply<store::Endpoint> FindEndpoint(const SageMakerOptions& options, const Call& call, const std::string& name) {
  HEADRACE_REPLY(auto found, store::Endpoints(options.database).Find(call.caller.account_id, name));
  if (!found) return CouldNotFind("endpoint", HostingArn(call, "endpoint", name));
  return std::move(*found);
}

jobs::HostedModel ModelOf(const store::HostingResource& model) {
  const Json request = Json::parse(model.request);
  const Json& container =
      request.contains("PrimaryContainer") ? request["PrimaryContainer"] : request["Containers"].front();
  jobs::HostedModel hosted;
  hosted.name = model.name;
  hosted.image = TextOr(container, "Image");
  hosted.data = TextOr(container, "ModelDataUrl");
  if (container.contains("ModelDataSource")) {
    const Json& source = container["ModelDataSource"]["S3DataSource"];
    hosted.data = TextOr(source, "S3Uri");
    hosted.is_prefix = TextOr(source, "CompressionType") == "None";
  }
  if (container.contains("Environment"))
    hosted.environment = container["Environment"].get<std::map<std::string, std::string>>();
  hosted.notes = jobs::LinesOf(jobs::EffectsOf(jobs::ModelMembers(), request));
  return hosted;
}

Reply<jobs::Deployment> DeploymentOf(const SageMakerOptions& options, const Call& call,
                                     const store::HostingResource& config) {
  const Json request = Json::parse(config.request);
  jobs::Deployment deployment;
  deployment.config_name = config.name;
  const auto config_notes = jobs::LinesOf(jobs::EffectsOf(jobs::EndpointConfigMembers(), request));
  for (const auto& from : request["ProductionVariants"]) {
    HEADRACE_REPLY_PASS(const auto model, FindModel(options, call, from["ModelName"]));
    jobs::Variant variant;
    variant.name = TextOr(from, "VariantName");
    variant.instance_type = TextOr(from, "InstanceType");
    variant.count = static_cast<int>(IntegerOr(from, "InitialInstanceCount", 1));
    variant.weight = from.value("InitialVariantWeight", 1.0);
    variant.startup_seconds =
        static_cast<int>(IntegerOr(from, "ContainerStartupHealthCheckTimeoutInSeconds", variant.startup_seconds));
    if (const auto routing = from.find("RoutingConfig"); routing != from.end())
      variant.routing = TextOr(*routing, "RoutingStrategy");
    variant.model = ModelOf(model);
    for (auto& line : config_notes) variant.model.notes.push_back(line);
    deployment.variants.push_back(std::move(variant));
  }
  return deployment;
}

Reply<void> CheckInstanceLimit(const SageMakerOptions& options, const Call& call, const jobs::Deployment& deployment,
                               const std::string& replaced) {
  if (auto refused = CheckMayRun(options, call)) return tl::unexpected(std::move(*refused));
  HEADRACE_REPLY(const auto endpoints, store::Endpoints(options.database).List({}));
  int64_t mine = 0, all = 0, wanted = 0;
  for (const auto& endpoint : endpoints) {
    const bool own = endpoint.account_id == call.caller.account_id;
    if ((own && endpoint.name == replaced) || endpoint.status == "Failed") continue;
    HEADRACE_REPLY(const auto other, jobs::ParseDeployment(endpoint.deployment));
    for (const auto& variant : other.variants) {
      all += variant.count;
      if (own) mine += variant.count;
    }
  }
  for (const auto& variant : deployment.variants) wanted += variant.count;
  const auto& type = deployment.variants.front().instance_type;
  if (mine + wanted > kMostInstances)
    return aws::Refuse(
        "ResourceLimitExceeded",
        fmt::format("The account-level service limit '{} for endpoint usage' is {} Instances, with current utilization "
                    "of {} Instances and a request delta of {} Instances.",
                    type, kMostInstances, mine, wanted));
  if (const auto most = MostOfTheMachine(); all + wanted > most)
    return aws::Refuse("ResourceLimitExceeded",
                       fmt::format("This server's machine has {} processors and room for {} instances of endpoints, "
                                   "with current utilization of {} Instances by all accounts and a request delta of {} "
                                   "Instances.",
                                   Processors().size(), most, all, wanted));
  return {};
}

}  // namespace headrace::api::sagemaker
