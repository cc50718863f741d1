// What is served: TensorFlow Serving's model configuration and batching parameters files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "serving/model/batcher.h"

namespace headrace::serving {

struct VersionPolicy {
  enum class Kind { kLatest, kAll, kSpecific };
  Kind kind = Kind::kLatest;
  int64_t latest = 1;  // how many
  std::vector<int64_t> specific;

  // Those to serve of the versions there are, ascending.
  std::vector<int64_t> Choose(std::vector<int64_t> available) const;
};

struct ModelConfig {
  std::string name;
  std::string base_path;
  VersionPolicy policy;
  std::map<std::string, int64_t> labels;
};

// That it names a model, an absolute directory and no platform but TensorFlow's.
Status CheckModelConfig(const ModelConfig& config, const std::string& platform, const std::string& what);
// A ModelServerConfig. `what` names the file in messages.
Result<std::vector<ModelConfig>> ParseModelConfigs(std::string_view text, const std::string& what);
Result<BatchingParameters> ParseBatchingParameters(std::string_view text, const std::string& what,
                                                   BatchingParameters defaults);

// The numeric children of a model's directory that hold a saved_model.pb, ascending.
std::vector<int64_t> AvailableVersions(const std::string& base_path);
// The directory of such a version, whose name may have leading zeros.
std::string VersionDirectory(const std::string& base_path, int64_t version);

// Below `root`, every model in SageMaker's layout: a directory with numeric children that hold a saved_model.pb.
std::vector<ModelConfig> DiscoverModels(const std::string& root);

}  // namespace headrace::serving
