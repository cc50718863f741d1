#include "apps/env_command.h"

#include <cerrno>
#include <iostream>

#include <nlohmann/json.hpp>
#include <signal.h>

#include "apps/client_environment.h"
#include "apps/command.h"
#include "apps/settings.h"

namespace headrace::apps {
namespace {

void RunEnv(const SettingOptions& options, OutputFormat format) {
  const DataDirectory directory(options.Read().data_dir);
  const ServerAddress address = ValueOrThrow(directory.ReadAddress());
  if (address.pid > 0 && ::kill(address.pid, 0) != 0 && errno == ESRCH)
    std::cerr << fmt::format("headrace: no server runs in {} now; these are the last one's\n", directory.path());
  const KeyPair keys = ValueOrThrow(directory.ReadKeys());
  const auto variables =
      ClientVariables(address, keys, directory / "aws", address.tls_endpoint.empty() ? "" : directory / "tls/ca.pem");
  if (format == OutputFormat::kJson) {
    nlohmann::ordered_json json;
    for (const auto& [name, value] : variables) json[name] = value;
    std::cout << json.dump(2) << "\n";
    return;
  }
  for (const auto& [name, value] : variables) std::cout << ExportLine(name, value) << "\n";
}

}  // namespace

void AddEnvCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("env", "export lines that point AWS clients at the server here");
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace serve &   then   eval \"$(headrace env)\"   then   aws s3 ls");
  command->callback([options, format] { RunEnv(*options, *format); });
}

}  // namespace headrace::apps
