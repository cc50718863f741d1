#include "apps/platform/client_environment.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace headrace::apps {
namespace {

constexpr const char* kMachinesConfig = "SAGEMAKER_ADMIN_CONFIG_OVERRIDE";
constexpr const char* kUsersConfig = "SAGEMAKER_USER_CONFIG_OVERRIDE";

std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string TextOf(const GetVariable& get, const char* name) {
  const char* value = get(name);
  return value == nullptr ? "" : value;
}

// "127.0.0.1" of "http://127.0.0.1:4567".
std::string HostOf(const std::string& endpoint) {
  std::string host = endpoint.substr(endpoint.find("://") + 3);
  host.resize(std::min(host.rfind(':'), host.size()));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool IsFree(const GetVariable& get, const char* variable, const std::string& usual, const std::string& ours) {
  const std::string set = TextOf(get, variable);
  return set == ours || (set.empty() && !Exists(usual));
}

}  // namespace

Variables ClientVariables(const ServerAddress& address, const KeyPair& keys, const ClientFiles& files) {
  Variables variables{{"AWS_ENDPOINT_URL", address.endpoint},
                      {"AWS_ACCESS_KEY_ID", keys.access_key_id},
                      {"AWS_SECRET_ACCESS_KEY", keys.secret_access_key},
                      {"AWS_DEFAULT_REGION", address.region},
                      {"AWS_REGION", address.region}};
  if (!files.data_path.empty()) variables.emplace_back("AWS_DATA_PATH", files.data_path);
  if (!files.ca_bundle.empty()) variables.emplace_back("AWS_CA_BUNDLE", files.ca_bundle);
  if (!files.sagemaker_config.empty()) variables.emplace_back(kMachinesConfig, files.sagemaker_config);
  return variables;
}

std::vector<std::string> MisleadingVariables(const char* const* environment) {
  constexpr std::string_view kNames[] = {
      "AWS_SESSION_TOKEN",          "AWS_SECURITY_TOKEN",    "AWS_PROFILE",
      "AWS_DEFAULT_PROFILE",        "AWS_USE_FIPS_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
      "AWS_USE_DUALSTACK_ENDPOINT", "AWS_CA_BUNDLE"};
  std::vector<std::string> names;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view text(*environment);
    const std::string_view name = text.substr(0, text.find('='));
    const bool endpoint_of_one = name.starts_with("AWS_ENDPOINT_URL_") &&
                                 name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == name.npos;
    if (endpoint_of_one || std::ranges::find(kNames, name) != std::end(kNames)) names.emplace_back(name);
  }
  return names;
}

Variables ProxyExceptions(const GetVariable& get, const std::string& endpoint) {
  bool proxy = false;
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
    proxy = proxy || !TextOf(get, name).empty();
  if (!proxy) return {};
  std::string exceptions = TextOf(get, "no_proxy");
  if (exceptions.empty()) exceptions = TextOf(get, "NO_PROXY");
  const std::string host = HostOf(endpoint);
  if (exceptions == "*" || ("," + exceptions + ",").find("," + host + ",") != std::string::npos) return {};
  const std::string all = exceptions.empty() ? host : exceptions + "," + host;
  return {{"NO_PROXY", all}, {"no_proxy", all}};
}

std::string SageMakerConfigVariable(const GetVariable& get, const std::string& ours) {
  std::string machines = TextOf(get, "XDG_CONFIG_DIRS"), users = TextOf(get, "XDG_CONFIG_HOME");
  machines = machines.empty() ? "/etc/xdg" : machines.substr(0, machines.find(':'));
  if (users.empty()) users = TextOf(get, "HOME") + "/.config";
  if (IsFree(get, kMachinesConfig, machines + "/sagemaker/config.yaml", ours)) return kMachinesConfig;
  if (IsFree(get, kUsersConfig, users + "/sagemaker/config.yaml", ours)) return kUsersConfig;
  return "";
}

std::string SageMakerConfig() {
  return "# The SageMaker Python SDK tells Amazon the account, the calls and the reasons of failures unless it is told "
         "not to.\n"
         "SchemaVersion: '1.0'\n"
         "SageMaker:\n"
         "  PythonSDK:\n"
         "    Modules:\n"
         "      TelemetryOptOut: true\n";
}

std::string ExportLine(const std::string& name, const std::string& value) {
  return "export " + name + "=" + Quoted(value);
}

}  // namespace headrace::apps
