#include "jobs/runtime/contract.h"

#include <algorithm>
#include <thread>

#include "base/processors.h"
#include "jobs/python/framework.h"
#include "jobs/request/hyperparameters.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

const std::string& InstanceType(const JobDescription& job) {
  return job.request.resources.GroupOf(job.current_host).instance_type;
}

std::vector<std::string> HostsOfGroup(const JobDescription& job, const std::string& group) {
  std::vector<std::string> hosts;
  for (const auto& host : job.hosts)
    if (job.request.resources.GroupOf(host).name == group) hosts.push_back(host);
  return hosts;
}

const std::string& GroupName(const JobDescription& job) { return job.request.resources.GroupOf(job.current_host).name; }

json InstanceGroups(const JobDescription& job) {
  json groups = json::array();
  for (const auto& group : job.request.resources.groups)
    groups.push_back({{"instance_group_name", group.name},
                      {"instance_type", group.instance_type},
                      {"hosts", HostsOfGroup(job, group.name)}});
  return groups;
}

json InstanceGroupNames(const JobDescription& job) {
  json names = json::array();
  for (const auto& group : job.request.resources.groups) names.push_back(group.name);
  return names;
}

json InstanceGroupsByName(const JobDescription& job) {
  json groups = json::object();
  for (const auto& group : InstanceGroups(job)) groups[group["instance_group_name"].get<std::string>()] = group;
  return groups;
}

// As the documentation has them, algo-10 before algo-2.
std::vector<std::string> SortedHosts(const JobDescription& job) {
  auto hosts = job.hosts;
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

json ResourceConfigFile(const JobDescription& job) {
  return {{"current_host", job.current_host},       {"current_instance_type", InstanceType(job)},
          {"current_group_name", GroupName(job)},   {"hosts", SortedHosts(job)},
          {"instance_groups", InstanceGroups(job)}, {"network_interface_name", "lo"}};
}

json InputDataConfigFile(const JobDescription& job) {
  json channels = json::object();
  for (const auto& channel : job.channels) {
    json& config = channels[channel.name];
    config = {{"TrainingInputMode", channel.mode},
              {"S3DistributionType", channel.distribution},
              {"RecordWrapperType", channel.record_wrapper}};
    if (!channel.content_type.empty()) config["ContentType"] = channel.content_type;
    if (channel.compression != "None") config["CompressionType"] = channel.compression;
  }
  return channels;
}

std::string UpperCase(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string ModuleName(const std::string& entry_point) {
  for (const char* ending : {".py", ".cpp", ".cc", ".cxx"})
    if (entry_point.ends_with(ending)) return entry_point.substr(0, entry_point.rfind('.'));
  return entry_point;
}

// What SageMaker's image of the framework starts.
std::string FrameworkModule(const JobDescription& job) {
  const auto* framework = FrameworkOfImage(job.request.algorithm.training_image).framework;
  return fmt::format("sagemaker_{}_container.training:main", framework == nullptr ? "tensorflow" : framework->name);
}

int CpuCount(const JobDescription& job) {
  return job.cpus.empty() ? static_cast<int>(std::thread::hardware_concurrency()) : static_cast<int>(job.cpus.size());
}

// The toolkit's properties by their own names; SM_TRAINING_ENV is this object, most other variables are its members.
json TrainingEnvironment(const JobDescription& job, const Program& program, const Hyperparameters& parameters,
                         const std::string& ml) {
  json channel_dirs = json::object();
  for (const auto& channel : job.channels) channel_dirs[channel.name] = ml + "/input/data/" + channel.name;
  const auto level = parameters.Text("sagemaker_container_log_level");
  return {{"additional_framework_parameters", parameters.framework},
          {"channel_input_dirs", channel_dirs},
          {"current_host", job.current_host},
          {"current_instance_group", GroupName(job)},
          {"current_instance_group_hosts", HostsOfGroup(job, GroupName(job))},
          {"current_instance_type", InstanceType(job)},
          {"distribution_hosts", SortedHosts(job)},
          {"distribution_instance_groups", InstanceGroupNames(job)},
          {"framework_module", FrameworkModule(job)},
          {"hosts", SortedHosts(job)},
          {"hyperparameters", parameters.user},
          {"input_config_dir", ml + "/input/config"},
          {"input_data_config", InputDataConfigFile(job)},
          {"input_dir", ml + "/input"},
          {"instance_groups", InstanceGroupNames(job)},
          {"instance_groups_dict", InstanceGroupsByName(job)},
          {"is_hetero", job.request.resources.groups.size() > 1},
          {"is_master", job.current_host == job.hosts.front()},
          {"job_name", job.job_name},
          {"log_level", level.empty() || level.find_first_not_of("0123456789") != std::string::npos || level.size() > 3
                            ? 20
                            : std::stoi(level)},
          {"master_hostname", job.hosts.front()},
          {"model_dir", ml + "/model"},
          {"module_dir", program.module_dir},
          {"module_name", ModuleName(program.entry_point)},
          {"network_interface_name", "lo"},
          {"num_cpus", CpuCount(job)},
          {"num_gpus", 0},
          {"num_neurons", 0},
          {"output_data_dir", ml + "/output/data"},
          {"output_dir", ml + "/output"},
          {"output_intermediate_dir", ml + "/output/intermediate"},
          {"resource_config", ResourceConfigFile(job)},
          {"user_entry_point", program.entry_point}};
}

// The program's own modules, what it has installed, and what stands in for packages that nobody has installed.
std::string PythonPath(const JobDescription& job, const std::string& ml, const std::string& packages) {
  std::string path = ml + "/code:" + ml + "/packages:" + packages + "/modules";
  for (const auto& directory : job.python.packages) path += ":" + directory;
  return path;
}

}  // namespace

Status WriteContractFiles(const JobDescription& job, const HeldDirectory& ml) {
  for (const char* directory :
       {"input/config", "input/data", "model", "code", "output/data", "output/intermediate", "checkpoints", "packages"})
    HEADRACE_TRY(ml.MakeDirectories(directory));
  const auto write = [&](const std::string& name, const json& content) {
    return ml.Write("input/config/" + name + ".json", content.dump(-1, ' ', false, json::error_handler_t::replace));
  };
  const json& request = job.request.document;  // what follows is handed on word for word
  HEADRACE_TRY(write("hyperparameters", request.value("HyperParameters", json::object())));
  HEADRACE_TRY(write("inputdataconfig", InputDataConfigFile(job)));
  HEADRACE_TRY(write("resourceconfig", ResourceConfigFile(job)));
  for (const auto& [field, name] : {std::pair{"CheckpointConfig", "checkpointconfig"},
                                    {"DebugHookConfig", "debughookconfig"},
                                    {"ProfilerConfig", "profilerconfig"},
                                    {"TensorBoardOutputConfig", "tensorboardoutputconfig"}})
    if (request.contains(field)) HEADRACE_TRY(write(name, request[field]));
  return {};
}

std::map<std::string, std::string> ContractVariables(const JobDescription& job, const Program& program,
                                                     const std::string& ml, const std::string& packages) {
  const auto& parameters = job.request.hyperparameters;
  const json training = TrainingEnvironment(job, program, parameters, ml);
  std::map<std::string, std::string> variables = {{"LANG", "C.UTF-8"}, {"PYTHONUNBUFFERED", "1"}};
  variables.insert(job.environment.begin(), job.environment.end());
  variables["AWS_REGION"] = variables["AWS_DEFAULT_REGION"] = job.region;
  for (const auto& [name, value] : job.request.environment) variables[name] = value;
  if (!variables.contains(kWaitPolicyVariable)) variables.emplace(kSpinVariable, kBoundedSpins);

  // What programs read by itself; the rest of the object is in SM_TRAINING_ENV.
  for (const char* name : {"hosts",
                           "current_host",
                           "network_interface_name",
                           "module_name",
                           "module_dir",
                           "framework_module",
                           "resource_config",
                           "input_data_config",
                           "model_dir",
                           "output_dir",
                           "output_data_dir",
                           "output_intermediate_dir",
                           "input_dir",
                           "input_config_dir",
                           "num_cpus",
                           "num_gpus",
                           "num_neurons",
                           "log_level",
                           "user_entry_point",
                           "current_instance_type",
                           "current_instance_group",
                           "current_instance_group_hosts",
                           "instance_groups",
                           "instance_groups_dict",
                           "distribution_instance_groups",
                           "is_hetero"})
    variables["SM_" + UpperCase(name)] = ToVariable(training[name]);
  variables["SM_TRAINING_ENV"] = training.dump(-1, ' ', false, json::error_handler_t::replace);
  variables["SM_HPS"] = ToVariable(parameters.user);
  variables["SM_FRAMEWORK_PARAMS"] = ToVariable(parameters.framework);
  for (const auto& [name, value] : parameters.user.items()) variables["SM_HP_" + UpperCase(name)] = ToVariable(value);
  json names = json::array();
  for (const auto& [name, directory] : training["channel_input_dirs"].items()) {
    names.push_back(name);
    variables["SM_CHANNEL_" + UpperCase(name)] = directory.get<std::string>();
  }
  variables["SM_CHANNELS"] = names.dump();
  variables["SM_USER_ARGS"] = json(program.arguments).dump(-1, ' ', false, json::error_handler_t::replace);

  variables["TRAINING_JOB_NAME"] = job.job_name;
  variables["TRAINING_JOB_ARN"] = job.job_arn;
  variables["SAGEMAKER_JOB_NAME"] = job.job_name;
  variables["CURRENT_HOST"] = job.current_host;
  variables["SAGEMAKER_REGION"] = job.region;
  variables["HEADRACE_LIBRARY_DIR"] = job.library_dir;  // where our own packages find what is native
  const auto path = variables.find("PYTHONPATH");
  variables["PYTHONPATH"] = PythonPath(job, ml, packages) + (path == variables.end() ? "" : ":" + path->second);
  return variables;
}

}  // namespace headrace::jobs
