#include "sagemaker/estimator/endpoint.h"

#include "sagemaker/estimator/waiting.h"

namespace headrace::sagemaker {

void CreateModel(const Session& session, const std::string& name, const Hosting& hosting,
                 const std::map<std::string, std::string>& environment) {
  Json variables{{"SAGEMAKER_TFS_NGINX_LOGLEVEL", "info"}};
  for (const auto& [variable, value] : environment) variables[variable] = value;
  CallWith(session.sagemaker(), "CreateModel",
           {{"ModelName", name},
            {"ExecutionRoleArn", hosting.role},
            {"PrimaryContainer",
             {{"Image", hosting.image_uri}, {"ModelDataUrl", hosting.model_data}, {"Environment", variables}}},
            {"Tags", TagList(hosting.tags)}});
}

Predictor Deploy(const Session& session, const Hosting& hosting, const DeployOptions& options) {
  const std::string model = name_from_base(hosting.base_name);
  const std::string endpoint = options.endpoint_name.empty() ? model : options.endpoint_name;
  const Json tags = TagList(hosting.tags);
  CreateModel(session, model, hosting, options.environment);
  const Json variant{{"VariantName", "AllTraffic"},
                     {"ModelName", model},
                     {"InitialInstanceCount", hosting.instance_count},
                     {"InstanceType", hosting.instance_type},
                     {"InitialVariantWeight", 1}};
  CallWith(session.sagemaker(), "CreateEndpointConfig",
           {{"EndpointConfigName", endpoint}, {"ProductionVariants", Json::array({variant})}, {"Tags", tags}});
  CallWith(session.sagemaker(), "CreateEndpoint",
           {{"EndpointName", endpoint}, {"EndpointConfigName", endpoint}, {"Tags", tags}});
  if (options.wait) WaitForEndpoint(session, endpoint, options.poll);
  return Predictor(endpoint, session, options.serializer);
}

void WaitForEndpoint(const Session& session, const std::string& name, std::chrono::milliseconds poll) {
  while (true) {
    const Json endpoint = CallWith(session.sagemaker(), "DescribeEndpoint", {{"EndpointName", name}});
    const std::string status = TextMember(endpoint, "EndpointStatus");
    if (status == "InService") return;
    if (!status.ends_with("ing"))  // Creating, Updating, SystemUpdating, RollingBack
      throw Error(ErrorCode::kFailedPrecondition,
                  "endpoint " + name + " is " + status + ": " + TextMember(endpoint, "FailureReason"));
    Pause(poll, {});
  }
}

}  // namespace headrace::sagemaker
