#include "api/sagemaker/training_job_checks.h"

#include <set>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/path_checks.h"
#include "api/sagemaker/request.h"
#include "jobs/metrics/metric_definitions.h"
#include "jobs/request/instance_types.h"
#include "jobs/request/training_request.h"

namespace headrace::api::sagemaker {
namespace {

using Json = nlohmann::json;

constexpr int64_t kDefaultMaxRuntime = 86'400;
constexpr int64_t kLongestRuntime = 28 * 86'400;

const Json& ObjectIn(const Json& parent, const char* name) {
  static const Json kNothing = Json::object();
  const auto found = parent.find(name);
  return found != parent.end() && found->is_object() ? *found : kNothing;
}

const Json& ListIn(const Json& parent, const char* name) {
  static const Json kNothing = Json::array();
  const auto found = parent.find(name);
  return found != parent.end() && found->is_array() ? *found : kNothing;
}

void CheckMetricDefinitions(const Json& definitions, Violations& violations) {
  std::set<std::string> names;
  for (size_t i = 0; i < definitions.size(); ++i) {
    const std::string path = fmt::format("algorithmSpecification.metricDefinitions.{}.member", i + 1);
    const std::string name = TextOr(definitions[i], "Name"), regex = TextOr(definitions[i], "Regex");
    if (name.empty() || regex.empty()) continue;  // the shape has said so
    if (!names.insert(name).second) violations.Add(path + ".name", name, "Member must be unique among the definitions");
    // One by one, so that every definition that can never work is named at once.
    const auto compiled = jobs::MetricMatcher::Compile({{name, regex}});
    if (!compiled) violations.Add(path + ".regex", regex, compiled.error().message());
  }
}

void CheckAlgorithm(const Json& algorithm, Violations& violations) {
  const bool image = !TextOr(algorithm, "TrainingImage").empty(), name = !TextOr(algorithm, "AlgorithmName").empty();
  if (!name && !image) violations.Add("algorithmSpecification.trainingImage", nullptr, "Member must not be null");
  CheckMetricDefinitions(ListIn(algorithm, "MetricDefinitions"), violations);
}

void CheckInstances(const Json& config, const std::string& path, Violations& violations) {
  const std::string type = TextOr(config, "InstanceType");
  if (!type.empty() && (type.starts_with("ml.") || type == "local") && !jobs::SizeOfInstance(type)) {
    violations.Add(path + ".instanceType", type,
                   "Member must name an instance type of a known family and size, for example ml.m5.xlarge");
  }
  if (IntegerOr(config, "InstanceCount", 1) < 1) {
    violations.Add(path + ".instanceCount", config["InstanceCount"],
                   "Member must have value greater than or equal to 1");
  }
}

// Each is a sandbox of this machine; more of them would be no faster than as many.
constexpr int64_t kMostHosts = 64;

// Groups of instances, each with a name and a type of its own, stand in the place of one type and count.
void CheckInstanceGroups(const Json& config, Violations& violations) {
  for (const char* name : {"InstanceType", "InstanceCount"})
    if (config.contains(name))
      violations.Add(
          fmt::format("resourceConfig.{}", name == std::string_view("InstanceType") ? "instanceType" : "instanceCount"),
          config[name], "Member must not be given together with InstanceGroups");
  std::set<std::string> names;
  int number = 0;
  for (const auto& group : ListIn(config, "InstanceGroups")) {
    const auto path = fmt::format("resourceConfig.instanceGroups.{}.member", ++number);
    CheckInstances(group, path, violations);
    const auto name = TextOr(group, "InstanceGroupName");
    if (!names.insert(name).second)
      violations.Add(path + ".instanceGroupName", name, "Member must differ from the names of the other groups");
  }
}

void CheckResources(const Json& config, Violations& violations) {
  if (!ListIn(config, "InstanceGroups").empty()) {
    CheckInstanceGroups(config, violations);
  } else {
    if (!config.contains("InstanceType"))
      violations.Add("resourceConfig.instanceType", nullptr, "Member must not be null");
    if (!config.contains("InstanceCount"))
      violations.Add("resourceConfig.instanceCount", nullptr, "Member must not be null");
    CheckInstances(config, "resourceConfig", violations);
  }
}

void CheckInstanceCount(const Json& request, Violations& violations) {
  const auto resources = jobs::DecodeResourceConfig(request);
  if (!resources) return;  // said above, and by the decoder
  const auto hosts = resources->instance_count();
  if (hosts > kMostHosts)
    violations.Add("resourceConfig.instanceCount", hosts,
                   fmt::format("Member must have value less than or equal to {}: all instances of a job are on one "
                               "machine",
                               kMostHosts));
  // The instances of one job have to hear each other; a sandbox without a network hears nobody.
  if (hosts > 1 && BooleanOr(request, "EnableNetworkIsolation", false))
    violations.Add("enableNetworkIsolation", true,
                   "is not supported with several instances, which could not reach each other: leave it out, or give "
                   "InstanceCount 1");
}

void CheckGroupNames(const Json& request, Violations& violations) {
  std::set<std::string> known;
  for (const auto& group : ListIn(ObjectIn(request, "ResourceConfig"), "InstanceGroups"))
    known.insert(TextOr(group, "InstanceGroupName"));
  int number = 0;
  for (const auto& channel : ListIn(request, "InputDataConfig")) {
    ++number;
    const Json& source = ObjectIn(ObjectIn(channel, "DataSource"), "S3DataSource");
    for (const auto& name : ListIn(source, "InstanceGroupNames"))
      if (name.is_string() && !known.contains(name.get<std::string>()))
        violations.Add(fmt::format("inputDataConfig.{}.member.dataSource.s3DataSource.instanceGroupNames", number),
                       name, "Member must name a group of ResourceConfig.InstanceGroups");
  }
}

void CheckChannel(const Json& channel, const std::string& path, Violations& violations) {
  const Json& source = ObjectIn(channel, "DataSource");
  if (!channel.contains("DataSource")) return;                                              // the shape has said so
  if (source.contains("FileSystemDataSource") || source.contains("DatasetSource")) return;  // are refused
  if (!source.contains("S3DataSource")) {
    violations.Add(path + ".dataSource.s3DataSource", nullptr, "Member must not be null");
    return;
  }
  const Json& s3 = source["S3DataSource"];
  const std::string type = TextOr(s3, "S3DataType");
  if (type == "AugmentedManifestFile" && ListIn(s3, "AttributeNames").empty()) {
    violations.Add(path + ".dataSource.s3DataSource.attributeNames", nullptr,
                   "Member must not be null for an AugmentedManifestFile");
  }
}

void CheckChannels(const Json& channels, Violations& violations) {
  std::set<std::string> names;
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string path = fmt::format("inputDataConfig.{}.member", i + 1);
    const std::string name = TextOr(channels[i], "ChannelName");
    if (!names.insert(name).second) {
      violations.Add(path + ".channelName", name, "Member must be unique among the channels");
    }
    CheckChannel(channels[i], path, violations);
  }
}

void CheckTimes(const Json& request, Violations& violations) {
  const Json& condition = ObjectIn(request, "StoppingCondition");
  const int64_t runtime = IntegerOr(condition, "MaxRuntimeInSeconds", kDefaultMaxRuntime);
  if (runtime > kLongestRuntime) {
    violations.Add("stoppingCondition.maxRuntimeInSeconds", runtime,
                   fmt::format("Member must have value less than or equal to {}", kLongestRuntime));
  }
  const bool spot = BooleanOr(request, "EnableManagedSpotTraining", false);
  const int64_t wait = IntegerOr(condition, "MaxWaitTimeInSeconds", 0);
  const Json shown = wait == 0 ? Json() : Json(wait);
  if (spot && wait < runtime) {
    violations.Add("stoppingCondition.maxWaitTimeInSeconds", shown,
                   fmt::format("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                               "MaxRuntimeInSeconds ({})",
                               runtime));
  } else if (!spot && wait > 0) {
    violations.Add("stoppingCondition.maxWaitTimeInSeconds", shown,
                   "Member may be given only when EnableManagedSpotTraining is true");
  }
}

}  // namespace

void CheckAcrossMembers(const Json& request, Violations& violations) {
  if (request.contains("AlgorithmSpecification"))
    CheckAlgorithm(ObjectIn(request, "AlgorithmSpecification"), violations);
  if (request.contains("ResourceConfig")) CheckResources(ObjectIn(request, "ResourceConfig"), violations);
  CheckChannels(ListIn(request, "InputDataConfig"), violations);
  CheckGroupNames(request, violations);
  CheckInstanceCount(request, violations);
  CheckTimes(request, violations);
  CheckPaths(request, violations);
  CheckTexts(request, violations);
  CheckTagKeys(request, violations);
  RefuseMembers(jobs::EffectsOfTrainingJob(request), violations);
}

}  // namespace headrace::api::sagemaker
