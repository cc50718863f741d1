#include "sagemaker/estimator/training_request.h"

#include <filesystem>

namespace headrace::sagemaker {
namespace {

// A value of v1's name for one of v2's, which must have been left at its default.
template <typename T, typename Given>
void Rename(const char* old_name, const char* name, const Given& given, T& value, const T& otherwise) {
  if (!given) return;
  if (!(value == otherwise)) ThrowInvalid(std::string(old_name) + " is v1's name of " + name + ": found both");
  value = *given;
}

std::optional<std::string> Given(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

void RenameV1(EstimatorOptions& options) {
  const EstimatorOptions fresh;
  Rename("train_instance_count", "instance_count", options.train_instance_count, options.instance_count,
         fresh.instance_count);
  Rename("train_instance_type", "instance_type", Given(options.train_instance_type), options.instance_type,
         fresh.instance_type);
  Rename("train_volume_size", "volume_size", options.train_volume_size, options.volume_size, fresh.volume_size);
  Rename("train_max_run", "max_run", options.train_max_run, options.max_run, fresh.max_run);
  Rename("image_name", "image_uri", Given(options.image_name), options.image_uri, fresh.image_uri);
  if (!options.distributions) return;
  if (options.distribution.mpi.enabled || options.distribution.parameter_server.enabled)
    ThrowInvalid("distributions is v1's name of distribution: found both");
  options.distribution = *options.distributions;
}

// Text as JSON, which is how SageMaker passes hyperparameters.
std::string Quoted(const std::string& text) { return Hyperparameter(text).json(); }

Json HyperparametersOf(const EstimatorOptions& options, const JobPlace& place) {
  Json parameters = Json::object();
  for (const auto& [name, value] : options.hyperparameters) parameters[name] = value.json();
  parameters["sagemaker_submit_directory"] = Quoted(place.source_uri);
  // As it is called in the archive, where a program that goes alone lies at the root.
  const std::filesystem::path program(options.entry_point);
  parameters["sagemaker_program"] =
      Quoted((options.source_dir.empty() ? program.filename() : program).generic_string());
  parameters["sagemaker_container_log_level"] = std::to_string(options.container_log_level);
  parameters["sagemaker_job_name"] = Quoted(place.job_name);
  parameters["sagemaker_region"] = Quoted(place.region);
  const auto& mpi = options.distribution.mpi;
  if (mpi.enabled) {
    parameters["sagemaker_mpi_enabled"] = "true";
    parameters["sagemaker_mpi_num_of_processes_per_host"] = std::to_string(mpi.processes_per_host);
    parameters["sagemaker_mpi_custom_mpi_options"] = Quoted(mpi.custom_mpi_options);
  }
  if (options.distribution.parameter_server.enabled) parameters["sagemaker_parameter_server_enabled"] = "true";
  const std::string shared = OutputPath(options, place.bucket) + place.job_name + "/model";
  const std::string model_dir = options.model_dir.value_or(mpi.enabled ? "/opt/ml/model" : shared);
  if (!model_dir.empty()) parameters["model_dir"] = Quoted(model_dir);
  return parameters;
}

Json Channel(const std::string& name, const S3Input& input) {
  Json source{
      {"S3DataType", input.s3_data_type}, {"S3Uri", input.s3_data}, {"S3DataDistributionType", input.distribution}};
  if (!input.attribute_names.empty()) source["AttributeNames"] = input.attribute_names;
  Json channel{{"ChannelName", name}, {"DataSource", {{"S3DataSource", std::move(source)}}}};
  PutText(channel, "ContentType", input.content_type);
  PutText(channel, "CompressionType", input.compression);
  PutText(channel, "RecordWrapperType", input.record_wrapping);
  PutText(channel, "InputMode", input.input_mode);
  if (input.shuffle_seed) channel["ShuffleConfig"] = {{"Seed", *input.shuffle_seed}};
  return channel;
}

Json AlgorithmOf(const EstimatorOptions& options, const JobPlace& place) {
  Json algorithm{{"TrainingInputMode", options.input_mode}, {"TrainingImage", place.image_uri}};
  if (options.metric_definitions.empty()) return algorithm;
  for (const MetricDefinition& metric : options.metric_definitions)
    algorithm["MetricDefinitions"].push_back({{"Name", metric.name}, {"Regex", metric.regex}});
  algorithm["EnableSageMakerMetricsTimeSeries"] = true;
  return algorithm;
}

}  // namespace

EstimatorOptions CheckedOptions(EstimatorOptions options) {
  RenameV1(options);
  if (options.entry_point.empty()) ThrowInvalid("entry_point: found nothing, wanted a file of source_dir");
  if (options.role.empty()) ThrowInvalid("role: found nothing, wanted a role's ARN, such as get_execution_role()'s");
  if (options.instance_type.empty()) ThrowInvalid("instance_type: found nothing, wanted one such as ml.m5.xlarge");
  if (options.instance_count < 1)
    ThrowInvalid("instance_count: found " + std::to_string(options.instance_count) + ", wanted at least 1");
  if (options.distribution.mpi.enabled && options.distribution.parameter_server.enabled)
    ThrowInvalid("distribution: found mpi and parameter_server, wanted one of them");
  if (options.use_spot_instances && options.max_wait < options.max_run)
    ThrowInvalid("max_wait: found " + std::to_string(options.max_wait) +
                 ", wanted at least max_run with use_spot_instances");
  return options;
}

std::string OutputPath(const EstimatorOptions& options, const std::string& bucket) {
  std::string path = options.output_path.empty() ? "s3://" + bucket + "/" : options.output_path;
  if (!path.ends_with('/')) path += '/';
  return path;
}

Json TrainingRequest(const EstimatorOptions& options, const Inputs& inputs, const JobPlace& place) {
  Json request{{"TrainingJobName", place.job_name},
               {"RoleArn", options.role},
               {"AlgorithmSpecification", AlgorithmOf(options, place)},
               {"OutputDataConfig", {{"S3OutputPath", OutputPath(options, place.bucket)}}},
               {"ResourceConfig",
                {{"InstanceCount", options.instance_count},
                 {"InstanceType", options.instance_type},
                 {"VolumeSizeInGB", options.volume_size}}},
               {"StoppingCondition", {{"MaxRuntimeInSeconds", options.max_run}}},
               {"HyperParameters", HyperparametersOf(options, place)}};
  for (const auto& [name, input] : inputs) request["InputDataConfig"].push_back(Channel(name, input.s3()));
  PutText(request["OutputDataConfig"], "KmsKeyId", options.output_kms_key);
  PutText(request["ResourceConfig"], "VolumeKmsKeyId", options.volume_kms_key);
  if (options.use_spot_instances) {
    request["EnableManagedSpotTraining"] = true;
    request["StoppingCondition"]["MaxWaitTimeInSeconds"] = options.max_wait;
  }
  if (!options.checkpoint_s3_uri.empty()) {
    request["CheckpointConfig"] = {{"S3Uri", options.checkpoint_s3_uri}};
    PutText(request["CheckpointConfig"], "LocalPath", options.checkpoint_local_path);
  }
  if (!options.subnets.empty())
    request["VpcConfig"] = {{"Subnets", options.subnets}, {"SecurityGroupIds", options.security_group_ids}};
  if (!options.environment.empty()) request["Environment"] = options.environment;
  if (options.enable_network_isolation) request["EnableNetworkIsolation"] = true;
  if (!options.tags.empty()) request["Tags"] = TagList(options.tags);
  return request;
}

}  // namespace headrace::sagemaker
