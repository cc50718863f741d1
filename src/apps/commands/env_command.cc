#include "apps/commands/env_command.h"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "apps/command.h"
#include "apps/platform/client_environment.h"
#include "apps/platform/settings.h"

namespace headrace::apps {
namespace {

using std::chrono::steady_clock;

constexpr int kWaitSeconds = 10;

struct EnvOptions {
  std::shared_ptr<SettingOptions> settings;
  std::shared_ptr<OutputFormat> format;
  int wait_seconds = kWaitSeconds;
  bool tls = false;
};

// `headrace serve &` may have been typed a moment ago: a server that is starting is waited for.
Result<ServerAddress> AwaitServer(const DataDirectory& directory, int seconds) {
  const auto begin = steady_clock::now();
  bool told = false;
  while (true) {
    const bool claimed = directory.Claimed();
    auto address = directory.ReadAddress();
    if (claimed && address) return address;
    const auto waited = steady_clock::now() - begin;
    if (waited >= std::chrono::seconds(seconds)) {
      if (claimed)
        return Fail(ErrorCode::kUnavailable,
                    "data directory {}: a server has been starting for {} s and serves nobody yet; its log says more, "
                    "and --wait SECONDS waits longer",
                    directory.path(), seconds);
      return Fail(ErrorCode::kUnavailable,
                  "data directory {}: no server runs here; start one with headrace serve, or name its --data-dir",
                  directory.path());
    }
    if (!told && waited > std::chrono::seconds(1)) {
      std::cerr << fmt::format("headrace: waiting for a server in {}\n", directory.path());
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Variables FindVariables(const DataDirectory& directory, ServerAddress address, bool tls) {
  if (tls && address.tls_endpoint.empty())
    throw MakeError(ErrorCode::kFailedPrecondition, "--tls: the server has no TLS listener (tls-listen is off)");
  if (tls) address.endpoint = address.tls_endpoint;
  const KeyPair keys = ValueOrThrow(directory.ReadKeys());
  const std::string files = (address.client_files.empty() ? directory.path() : address.client_files) + "/";
  Variables variables = ClientVariables(address, keys, {files + "aws", tls ? files + kBundleName : "", ""});
  const GetVariable get = [](const char* name) -> const char* { return std::getenv(name); };
  for (auto& exception : ProxyExceptions(get, address.endpoint)) variables.push_back(std::move(exception));
  const std::string config = files + kSageMakerConfigName;
  if (const std::string name = SageMakerConfigVariable(get, config); !name.empty())
    variables.emplace_back(name, config);
  else
    std::cerr
        << "headrace: both configurations of the SageMaker SDK are taken and stay as they are; unless one of them "
           "says TelemetryOptOut, the SDK reports calls and failures to Amazon\n";
  return variables;
}

void PrintUnset(const Variables& exported, std::ostream& out) {
  for (const std::string& name : MisleadingVariables(environ)) {
    bool ours = false;
    for (const auto& [other, value] : exported) ours = ours || other == name;
    if (!ours) out << "unset " << name << "\n";
  }
}

void PrintVariables(const DataDirectory& directory, const EnvOptions& options) {
  const ServerAddress address = ValueOrThrow(AwaitServer(directory, options.wait_seconds));
  const Variables variables = FindVariables(directory, address, options.tls);
  if (*options.format == OutputFormat::kJson) {
    nlohmann::ordered_json json;
    for (const auto& [name, value] : variables) json[name] = value;
    std::cout << json.dump(2) << "\n";
    return;
  }
  for (const auto& [name, value] : variables) std::cout << ExportLine(name, value) << "\n";
  PrintUnset(variables, std::cout);
}

void RunEnv(const EnvOptions& options) {
  try {
    PrintVariables(DataDirectory(options.settings->Read().data_dir), options);
  } catch (const std::exception&) {
    if (*options.format == OutputFormat::kText) PrintEnvFailure(std::cout);
    throw;
  }
}

}  // namespace

void PrintEnvFailure(std::ostream& out) {
  const Variables nowhere{{"AWS_ENDPOINT_URL", "http://127.0.0.1:1/headrace-env-failed"},
                          {"AWS_ACCESS_KEY_ID", "headrace-env-failed"},
                          {"AWS_SECRET_ACCESS_KEY", "headrace-env-failed"}};
  PrintUnset(nowhere, out);
  for (const auto& [name, value] : nowhere) out << ExportLine(name, value) << "\n";
  out << "echo 'headrace env has failed: AWS_ENDPOINT_URL leads nowhere now, so that no client talks to the real AWS "
         "by "
         "mistake' >&2\nfalse\n"
      << std::flush;
}

void AddEnvCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("env", "export lines that point AWS clients at the server here");
  auto options = std::make_shared<EnvOptions>();
  options->settings = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  options->format = AddOutputOption(*command);
  command->add_option("--wait", options->wait_seconds, "seconds to wait for a server that is starting; 0: not at all")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command->add_flag("--tls", options->tls, "the TLS listener, and an AWS_CA_BUNDLE: the system's authorities and ours");
  SetExample(*command, "headrace serve &   then   eval \"$(headrace env)\"   then   aws s3 ls");
  command->callback([options] { RunEnv(*options); });
}

}  // namespace headrace::apps
