#include "serving/model/model_config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>

#include "serving/model/text_message.h"

namespace headrace::serving {
namespace {

namespace fs = std::filesystem;

std::optional<int64_t> VersionOf(const fs::path& directory) {
  const std::string name = directory.filename().string();
  int64_t version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  const bool number = error == std::errc() && end == name.data() + name.size() && version >= 0;
  std::error_code ignored;
  return number && fs::is_regular_file(directory / "saved_model.pb", ignored) ? std::optional(version) : std::nullopt;
}

Result<VersionPolicy> ParsePolicy(const TextMessage& message, const std::string& what) {
  HEADRACE_TRY(message.OnlyFields({"latest", "all", "specific"}, what));
  VersionPolicy policy;
  if (message.fields().size() > 1)
    return Fail(ErrorCode::kInvalidArgument, "{}: wanted one of latest, all and specific", what);
  if (const TextMessage* latest = message.Message("latest")) {
    HEADRACE_ASSIGN(const auto number, latest->Number("num_versions"));
    policy.latest = number.value_or(1);
    if (policy.latest < 1)
      return Fail(ErrorCode::kInvalidArgument, "{}: num_versions is {}, wanted 1 or more", what, policy.latest);
  } else if (message.Message("all") != nullptr) {
    policy.kind = VersionPolicy::Kind::kAll;
  } else if (const TextMessage* specific = message.Message("specific")) {
    policy.kind = VersionPolicy::Kind::kSpecific;
    for (const std::string& value : specific->Values("versions")) {
      int64_t version = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), version);
      if (error != std::errc() || end != value.data() + value.size() || version < 0)
        return Fail(ErrorCode::kInvalidArgument, "{}: version '{}', wanted a number", what, value);
      policy.specific.push_back(version);
    }
    if (policy.specific.empty()) return Fail(ErrorCode::kInvalidArgument, "{}: specific names no versions", what);
  }
  return policy;
}

Result<ModelConfig> ParseModelConfig(const TextMessage& message, const std::string& what) {
  HEADRACE_TRY(message.OnlyFields(
      {"name", "base_path", "model_platform", "model_type", "model_version_policy", "version_labels", "logging_config"},
      what));
  ModelConfig config;
  config.name = message.Value("name").value_or("");
  config.base_path = message.Value("base_path").value_or("");
  HEADRACE_TRY(CheckModelConfig(config, message.Value("model_platform").value_or(""), what));
  if (const TextMessage* policy = message.Message("model_version_policy")) {
    HEADRACE_ASSIGN(config.policy, ParsePolicy(*policy, what + ": model '" + config.name + "'"));
  }
  for (const TextMessage* label : message.Messages("version_labels")) {
    HEADRACE_ASSIGN(const auto version, label->Number("value"));
    const std::string key = label->Value("key").value_or("");
    if (key.empty() || !version)
      return Fail(ErrorCode::kInvalidArgument, "{}: model '{}': a version label without key or value", what,
                  config.name);
    config.labels[key] = *version;
  }
  return config;
}

// What TensorFlow Serving asks of allowed_batch_sizes, in its words.
Status CheckAllowedSizes(const std::vector<int64_t>& sizes, int64_t largest, bool splitting, const std::string& what) {
  for (size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] < 1 || (i > 0 && sizes[i] <= sizes[i - 1]))
      return Fail(ErrorCode::kInvalidArgument,
                  "{}: allowed_batch_sizes: {} after {}, wanted numbers above 0 in ascending order", what, sizes[i],
                  i > 0 ? sizes[i - 1] : 0);
  if (sizes.empty() || sizes.back() == largest) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "{}: Last entry in allowed_batch_sizes must {} {}; last entry was {}; expected {}", what,
              splitting ? "be equal to" : "match", splitting ? "max_execution_batch_size" : "max_batch_size",
              sizes.back(), largest);
}

Result<std::vector<int64_t>> ReadSizes(const TextMessage& file, const std::string& what) {
  std::vector<int64_t> sizes;
  for (const std::string& value : file.Values("allowed_batch_sizes")) {
    int64_t size = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (error != std::errc() || end != value.data() + value.size())
      return Fail(ErrorCode::kInvalidArgument, "{}: allowed_batch_sizes: '{}', wanted a number", what, value);
    sizes.push_back(size);
  }
  return sizes;
}

// The rows of one run: with splitting they may be fewer than those of one request.
Result<int64_t> ReadRunSize(const TextMessage& file, int64_t max_batch_size, bool splitting, const std::string& what) {
  HEADRACE_ASSIGN(const auto number, file.Number("max_execution_batch_size"));
  if (!number || !splitting) return max_batch_size;
  if (*number < 1 || *number > max_batch_size)
    return Fail(ErrorCode::kInvalidArgument,
                "{}: max_execution_batch_size is {}, wanted 1 to max_batch_size, which is {}", what, *number,
                max_batch_size);
  return *number;
}

}  // namespace

Status CheckModelConfig(const ModelConfig& config, const std::string& platform, const std::string& what) {
  if (config.name.empty() || config.base_path.empty())
    return Fail(ErrorCode::kInvalidArgument, "{}: a config without name or base_path", what);
  if (config.base_path[0] != '/')
    return Fail(ErrorCode::kInvalidArgument, "{}: model '{}': base_path '{}' is not absolute", what, config.name,
                config.base_path);
  if (!platform.empty() && platform != "tensorflow")
    return Fail(ErrorCode::kInvalidArgument, "{}: model '{}': platform '{}', wanted tensorflow", what, config.name,
                platform);
  return {};
}

std::vector<int64_t> VersionPolicy::Choose(std::vector<int64_t> available) const {
  std::sort(available.begin(), available.end());
  if (kind == Kind::kLatest && static_cast<int64_t>(available.size()) > latest)
    available.erase(available.begin(), available.end() - latest);
  if (kind == Kind::kSpecific)
    std::erase_if(available, [&](int64_t version) {
      return std::find(specific.begin(), specific.end(), version) == specific.end();
    });
  return available;
}

Result<std::vector<ModelConfig>> ParseModelConfigs(std::string_view text, const std::string& what) {
  HEADRACE_ASSIGN(const TextMessage file, TextMessage::Parse(text, what));
  HEADRACE_TRY(file.OnlyFields({"model_config_list"}, what));
  std::vector<ModelConfig> configs;
  std::set<std::string> names;
  for (const TextMessage* list : file.Messages("model_config_list")) {
    HEADRACE_TRY(list->OnlyFields({"config"}, what));
    for (const TextMessage* message : list->Messages("config")) {
      HEADRACE_ASSIGN(ModelConfig config, ParseModelConfig(*message, what));
      if (!names.insert(config.name).second)
        return Fail(ErrorCode::kInvalidArgument, "{}: two models are named '{}'", what, config.name);
      configs.push_back(std::move(config));
    }
  }
  if (configs.empty()) return Fail(ErrorCode::kInvalidArgument, "{}: it configures no model", what);
  return configs;
}

Result<BatchingParameters> ParseBatchingParameters(std::string_view text, const std::string& what,
                                                   BatchingParameters parameters) {
  HEADRACE_ASSIGN(const TextMessage file, TextMessage::Parse(text, what));
  HEADRACE_TRY(file.OnlyFields(
      {"max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads", "thread_pool_name",
       "allowed_batch_sizes", "pad_variable_length_inputs", "enable_large_batch_splitting", "max_execution_batch_size"},
      what));
  parameters.max_batch_size = 1000;  // the file's default
  const std::pair<const char*, int64_t*> numbers[] = {
      {"max_batch_size", &parameters.max_batch_size},
      {"batch_timeout_micros", &parameters.batch_timeout_micros},
      {"max_enqueued_batches", &parameters.max_enqueued_batches},
      {"num_batch_threads", &parameters.num_batch_threads},
  };
  for (const auto& [name, value] : numbers) {
    HEADRACE_ASSIGN(const auto number, file.Number(name));
    if (!number) continue;
    const int64_t least = std::string_view(name) == "batch_timeout_micros" ? 0 : 1;
    if (*number < least || *number > (int64_t{1} << 40))
      return Fail(ErrorCode::kInvalidArgument, "{}: {} is {}, wanted {} or more", what, name, *number, least);
    *value = *number;
  }
  if (parameters.num_batch_threads > 1024)
    return Fail(ErrorCode::kInvalidArgument, "{}: num_batch_threads is {}, wanted at most 1024", what,
                parameters.num_batch_threads);
  HEADRACE_ASSIGN(const auto splits, file.Bool("enable_large_batch_splitting"));
  const bool splitting = splits.value_or(false);
  parameters.max_request_size = parameters.max_batch_size;
  HEADRACE_ASSIGN(parameters.max_batch_size, ReadRunSize(file, parameters.max_request_size, splitting, what));
  HEADRACE_ASSIGN(parameters.allowed_batch_sizes, ReadSizes(file, what));
  HEADRACE_TRY(CheckAllowedSizes(parameters.allowed_batch_sizes, parameters.max_batch_size, splitting, what));
  return parameters;
}

std::vector<int64_t> AvailableVersions(const std::string& base_path) {
  std::vector<int64_t> versions;
  std::error_code error;
  for (const auto& child : fs::directory_iterator(base_path, error))
    if (const auto version = VersionOf(child.path())) versions.push_back(*version);
  std::sort(versions.begin(), versions.end());
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
  return versions;
}

std::string VersionDirectory(const std::string& base_path, int64_t version) {
  std::error_code error;
  for (const auto& child : fs::directory_iterator(base_path, error))
    if (VersionOf(child.path()) == version) return child.path().string();
  return base_path + "/" + std::to_string(version);
}

std::vector<ModelConfig> DiscoverModels(const std::string& root) {
  std::map<std::string, ModelConfig> found;  // by directory, for an order that does not depend on the file system
  std::error_code error;
  auto at = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at.depth() > 16) at.disable_recursion_pending();
    if (!VersionOf(at->path())) continue;
    const fs::path base = at->path().parent_path();
    ModelConfig& config = found[base.string()];
    config.name = base.filename().string();
    config.base_path = base.string();
    config.policy.kind = VersionPolicy::Kind::kAll;
    at.disable_recursion_pending();
  }
  std::vector<ModelConfig> configs;
  std::set<std::string> names;
  for (auto& [directory, config] : found)
    if (names.insert(config.name).second) configs.push_back(std::move(config));
  return configs;
}

}  // namespace headrace::serving
