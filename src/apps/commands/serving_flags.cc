#include "apps/commands/serving_flags.h"

#include <algorithm>
#include <cctype>

#include "base/log.h"

namespace headrace::apps {
namespace {

constexpr const char* kGroup = "For TensorFlow Serving's command lines";

struct ServingFlag {
  const char* name;
  bool boolean = false;        // --flag, --flag=true, --flag=false
  const char* asks = nullptr;  // what it asks for that is not done; null: it is taken without effect
  const char* may_be = "";     // the one value, beside none (or false), that asks for nothing
};

constexpr ServingFlag kServingFlags[] = {
    {"--rest_api_timeout_in_ms"},
    {"--grpc_max_threads"},
    {"--grpc_channel_arguments"},
    {"--tensorflow_session_parallelism"},
    {"--tensorflow_inter_op_parallelism"},
    {"--num_load_threads"},
    {"--num_unload_threads"},
    {"--flush_filesystem_caches", true},
    {"--per_process_gpu_memory_fraction"},
    {"--remove_unused_fields_from_bundle_metagraph", true},
    {"--prefer_tflite_model", true},
    {"--num_tflite_pools"},
    {"--num_tflite_interpreters_per_pool"},
    {"--enable_profiler", true},
    {"--xla_cpu_compilation_enabled", true},
    {"--enable_serialization_as_tensor_content", true},
    {"--enforce_session_run_timeout", true},
    {"--skip_initialize_tpu", true},
    {"--use_tflite_model", true, "models of TensorFlow Lite"},
    {"--use_alts_credentials", true, "ALTS"},
    {"--enable_grpc_healthcheck_service", true, "gRPC's health service (ask /v1/models/NAME)"},
    {"--enable_per_model_batching_parameters", true, "batching parameters of each model (one file serves all)"},
    {"--ssl_config_file", false, "TLS (put a proxy in front)"},
    {"--grpc_socket_path", false, "gRPC on a Unix socket"},
    {"--platform_config_file", false, "a PlatformConfigMap (its settings are flags here)"},
    {"--tensorflow_session_config_file", false, "a ConfigProto for TensorFlow's sessions"},
    {"--thread_pool_factory_config_file", false, "thread pools of its own"},
    {"--saved_model_tags", false, "graphs of other tags than 'serve'", "serve"},
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool IsFalse(const std::string& value) { return value == "false" || value == "0"; }
bool IsTrue(const std::string& value) { return value == "true" || value == "1"; }

}  // namespace

void AddServingFlags(CLI::App& command, const std::shared_ptr<ServingFlags>& flags) {
  for (const ServingFlag& flag : kServingFlags) {
    std::string& value = (*flags)[flag.name];
    CLI::Option* option = command.add_option(flag.name, value, "")->expected(0, 1);  // also --flag= and --flag alone
    option->take_last();  // of several, as TensorFlow Serving
    option->description(flag.asks == nullptr ? "accepted, without effect"
                                             : std::string("refused: asks for ") + flag.asks);
    option->group(kGroup);
  }
}

void CheckServingFlags(const CLI::App& command, const ServingFlags& flags) {
  std::string without_effect;
  for (const ServingFlag& flag : kServingFlags) {
    if (command.count(flag.name) == 0) continue;
    const std::string& given = flags.at(flag.name);
    const std::string value = !flag.boolean ? given : given.empty() ? "true" : Lower(given);
    if (flag.boolean && !IsTrue(value) && !IsFalse(value))
      throw CLI::ValidationError(flag.name, "found '" + given + "', wanted true or false");
    const bool nothing = value.empty() || value == flag.may_be || (flag.boolean && IsFalse(value));
    if (flag.asks != nullptr && !nothing)
      throw CLI::ValidationError(flag.name, std::string("it asks for ") + flag.asks + ", which is not here");
    if (flag.asks == nullptr) without_effect += std::string(without_effect.empty() ? "" : ", ") + flag.name;
  }
  if (!without_effect.empty()) Log(LogLevel::kInfo, "without effect: {}", without_effect);
}

}  // namespace headrace::apps
