// TrainingRequest: what a training job was asked to be: the stored CreateTrainingJob request, decoded once, with the
// service's defaults for what it leaves out. Scheduler, followers, supervisors and runtimes read this and not the JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "jobs/metrics/metric_definitions.h"
#include "jobs/request/distribution.h"
#include "jobs/request/hyperparameters.h"
#include "jobs/request/instance_types.h"

namespace headrace::jobs {

// SageMaker's values for what a request leaves out.
inline constexpr int64_t kDefaultMaxRuntimeSeconds = 86'400;
inline constexpr int64_t kDefaultVolumeGiB = 30;
inline constexpr const char* kDefaultCheckpointPath = "/opt/ml/checkpoints";
inline constexpr const char* kSdkDriversChannel = "sm_drivers";  // of version 3 of the SDK

// Hosts of one instance type.
struct InstanceGroup {
  std::string name = "homogeneousCluster";
  std::string instance_type;
  int instance_count = 1;

  bool operator==(const InstanceGroup&) const = default;
};

struct ResourceConfig {
  // At least one. A request without InstanceGroups has one group, of its InstanceType and InstanceCount.
  std::vector<InstanceGroup> groups = {InstanceGroup()};
  bool has_groups = false;                                    // the request names InstanceGroups
  uint64_t volume_bytes = uint64_t{kDefaultVolumeGiB} << 30;  // of each host

  int instance_count() const;  // of all groups
  // Of the host "algo-K"; the first group's for names that are none.
  const InstanceGroup& GroupOf(std::string_view host) const;
};

struct StoppingCondition {
  int64_t max_runtime_seconds = kDefaultMaxRuntimeSeconds;
};

// Of InputDataConfig. The texts are SageMaker's own.
struct ChannelRequest {
  std::string name;
  std::string mode = "File";  // File, Pipe, FastFile; TrainingInputMode where the channel has none of its own
  std::string content_type;
  std::string distribution = "FullyReplicated";  // or ShardedByS3Key
  std::string record_wrapper = "None";           // or RecordIO
  std::string compression = "None";              // or Gzip
  std::string data_type = "S3Prefix";            // or ManifestFile, AugmentedManifestFile
  std::optional<int64_t> shuffle_seed;
  std::vector<std::string> attributes;       // of an augmented manifest
  std::vector<std::string> instance_groups;  // that have the channel; none: all
  std::string s3_uri;                        // "": the channel is of another kind than S3DataSource
};

struct OutputDataConfig {
  std::string s3_output_path;
  bool archive = true;  // model.tar.gz and output.tar.gz; false: CompressionType NONE, plain objects
};

struct CheckpointConfig {
  std::string s3_uri;  // as it was given
  std::string local_path = kDefaultCheckpointPath;
};

struct AlgorithmSpecification {
  std::string training_image;
  std::string input_mode = "File";
  std::vector<MetricDefinition> metric_definitions;
  std::vector<std::string> container_entrypoint, container_arguments;
};

struct TrainingRequest {
  AlgorithmSpecification algorithm;
  ResourceConfig resources;
  StoppingCondition stopping;
  std::vector<ChannelRequest> channels;
  OutputDataConfig output;
  std::optional<CheckpointConfig> checkpoints;
  std::string role_arn;
  int retries = 0;  // RetryStrategy.MaximumRetryAttempts: further attempts after the first
  bool network_isolation = false;
  std::map<std::string, std::string> environment;
  Hyperparameters hyperparameters;
  std::optional<MpiDistribution> mpi;  // nullopt: each host runs the program once
  Rendezvous rendezvous = Rendezvous::kNone;

  // As it was stored, for what is handed on to programs word for word.
  nlohmann::json document = nlohmann::json::object();

  // "algo-1" … "algo-N".
  std::vector<std::string> hosts() const;
  // Whether version 3 of the SDK made it.
  bool has_sdk_drivers() const;
  // Whether mpirun may have to start ranks: asked for here, or by scripts of the SDK that come as a channel.
  bool may_start_ranks() const;
  // What the instance type of each promises, in the same order; nothing for a type that is not known.
  std::vector<InstanceSize> host_sizes() const;
};

// Members that are missing have their defaults; kInvalidArgument names the first one whose type or value cannot be.
// Whether the request may be made at all is CreateTrainingJob's to say.
Result<TrainingRequest> DecodeTrainingRequest(nlohmann::json document);
Result<TrainingRequest> ParseTrainingRequest(std::string_view text);

// Of ResourceConfig alone: also where another member of the request cannot be.
Result<ResourceConfig> DecodeResourceConfig(const nlohmann::json& document);

// "algo-3" for 2.
std::string HostName(size_t index);

}  // namespace headrace::jobs
