#include "api/sagemaker/hosting/shapes.h"

#include <cctype>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/training_job_shape.h"

namespace headrace::api::sagemaker {
namespace {

Shape Line(int64_t longest) { return Shape::Text(0, longest, ".*"); }
Shape RoleArn() { return Shape::Text(20, 2048, R"(arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+)"); }
Shape ModelUrl() { return Shape::Text(0, 1024, "(https|s3)://([^/]+)/?(.*)"); }

Shape ContainerDefinition() {
  return Shape::Structure(
      {{"ContainerHostname", Shape::Text(0, 63, R"([a-zA-Z0-9](-*[a-zA-Z0-9]){0,62})")},
       {"Image", Shape::Text(0, 255, R"([\S]+)")},
       {"Mode", Shape::Enum({"SingleModel", "MultiModel"})},
       {"ModelDataUrl", ModelUrl()},
       {"ModelDataSource",
        Shape::Structure({{"S3DataSource",
                           Shape::Structure({{"S3Uri", ModelUrl(), true},
                                             {"S3DataType", Shape::Enum({"S3Prefix", "S3Object"}), true},
                                             {"CompressionType", Shape::Enum({"None", "Gzip"}), true}}),
                           true}})},
       {"Environment", Shape::Map(Shape::Text(0, 1024, "[a-zA-Z_][a-zA-Z0-9_]*"), Shape::Text(0, 1024), 100)}});
}

Shape ProductionVariant() {
  return Shape::Structure(
      {{"VariantName", EndpointNameShape(), true},
       {"ModelName", ModelNameShape(), true},
       {"InitialInstanceCount", Shape::Integer(1)},
       {"InstanceType", Shape::Text(1, 64, R"(ml\.[a-z0-9\-]+\.[a-z0-9\-]+|local)")},
       {"VolumeSizeInGB", Shape::Integer(1, 512)},
       {"ModelDataDownloadTimeoutInSeconds", Shape::Integer(60, 3600)},
       {"ContainerStartupHealthCheckTimeoutInSeconds", Shape::Integer(60, 3600)},
       {"RoutingConfig",
        Shape::Structure({{"RoutingStrategy", Shape::Enum({"LEAST_OUTSTANDING_REQUESTS", "RANDOM"}), true}})}});
}

Shape DataCaptureConfig() {
  const Shape option = Shape::Structure({{"CaptureMode", Shape::Enum({"Input", "Output", "InputAndOutput"}), true}});
  return Shape::Structure({{"EnableCapture", Shape::Boolean()},
                           {"InitialSamplingPercentage", Shape::Integer(0, 100), true},
                           {"DestinationS3Uri", Shape::Text(0, 512), true},
                           {"KmsKeyId", Line(2048)},
                           {"CaptureOptions", Shape::List(option, 1, 32), true}});
}

Shape TrafficRouting() {
  const Shape size = Shape::Structure(
      {{"Type", Shape::Enum({"INSTANCE_COUNT", "CAPACITY_PERCENT"}), true}, {"Value", Shape::Integer(1), true}});
  return Shape::Structure({{"Type", Shape::Enum({"ALL_AT_ONCE", "CANARY", "LINEAR"}), true},
                           {"WaitIntervalInSeconds", Shape::Integer(0, 3600), true},
                           {"CanarySize", size},
                           {"LinearStepSize", size}});
}

Shape DeploymentConfig() {
  const Shape alarm = Shape::Structure({{"AlarmName", Shape::Text(1, 255)}});
  return Shape::Structure(
      {{"BlueGreenUpdatePolicy", Shape::Structure({{"TrafficRoutingConfiguration", TrafficRouting(), true},
                                                   {"TerminationWaitInSeconds", Shape::Integer(0, 3600)},
                                                   {"MaximumExecutionTimeoutInSeconds", Shape::Integer(600, 28'800)}})},
       {"AutoRollbackConfiguration", Shape::Structure({{"Alarms", Shape::List(alarm, 1, 10)}})}});
}

bool SaysNothing(const nlohmann::json& value) {
  if (value.is_null() || (value.is_boolean() && !value.get<bool>())) return true;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();  // a text is never empty() to JSON
  return value.is_structured() && value.empty();
}

}  // namespace

Shape ModelNameShape() { return Shape::Text(0, 63, R"([a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?)"); }
Shape EndpointNameShape() { return Shape::Text(0, 63, R"([a-zA-Z0-9](-*[a-zA-Z0-9]){0,62})"); }

Shape CreateModelShape() {
  const Shape id = Shape::Text(0, 32, "[-0-9a-zA-Z]+");
  return Shape::Structure({{"ModelName", ModelNameShape(), true},
                           {"PrimaryContainer", ContainerDefinition()},
                           {"Containers", Shape::List(ContainerDefinition(), 0, 15)},
                           {"ExecutionRoleArn", RoleArn()},
                           {"Tags", TagListShape()},
                           {"VpcConfig", Shape::Structure({{"SecurityGroupIds", Shape::List(id, 1, 5), true},
                                                           {"Subnets", Shape::List(id, 1, 16), true}})},
                           {"EnableNetworkIsolation", Shape::Boolean()}});
}

Shape CreateEndpointConfigShape() {
  return Shape::Structure({{"EndpointConfigName", EndpointNameShape(), true},
                           {"ProductionVariants", Shape::List(ProductionVariant(), 1, 10), true},
                           {"DataCaptureConfig", DataCaptureConfig()},
                           {"Tags", TagListShape()},
                           {"KmsKeyId", Line(2048)}});
}

Shape CreateEndpointShape() {
  return Shape::Structure({{"EndpointName", EndpointNameShape(), true},
                           {"EndpointConfigName", EndpointNameShape(), true},
                           {"DeploymentConfig", DeploymentConfig()},
                           {"Tags", TagListShape()}});
}

Shape UpdateEndpointShape() {
  const Shape property = Shape::Structure(
      {{"VariantPropertyType", Shape::Enum({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"}), true}});
  return Shape::Structure({{"EndpointName", EndpointNameShape(), true},
                           {"EndpointConfigName", EndpointNameShape(), true},
                           {"DeploymentConfig", DeploymentConfig()},
                           {"RetainAllVariantProperties", Shape::Boolean()},
                           {"ExcludeRetainedVariantProperties", Shape::List(property, 0, 3)},
                           {"RetainDeploymentConfig", Shape::Boolean()}});
}

Shape UpdateWeightsShape() {
  const Shape change =
      Shape::Structure({{"VariantName", EndpointNameShape(), true}, {"DesiredInstanceCount", Shape::Integer(0)}});
  return Shape::Structure(
      {{"EndpointName", EndpointNameShape(), true}, {"DesiredWeightsAndCapacities", Shape::List(change, 1, 10), true}});
}

void RefuseMembers(const nlohmann::json& object, const std::string& path,
                   std::initializer_list<std::pair<const char*, const char*>> members, Violations& violations) {
  for (const auto& [name, why] : members) {
    const auto found = object.find(name);
    if (found == object.end() || SaysNothing(*found)) continue;
    std::string member = name;
    member[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(member[0])));
    violations.Add(path.empty() ? member : path + "." + member, *found,
                   fmt::format("Member is not supported: {}", why));
  }
}

bool CheckWeight(const nlohmann::json& object, const char* member, const std::string& path, Violations& violations) {
  const auto weight = object.find(member);
  if (weight == object.end()) return false;
  if (weight->is_number() && weight->get<double>() >= 0) return true;
  violations.Add(path, *weight, "Member must have value greater than or equal to 0");
  return false;
}

}  // namespace headrace::api::sagemaker
