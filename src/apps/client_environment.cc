#include "apps/client_environment.h"

namespace headrace::apps {

std::vector<std::pair<std::string, std::string>> ClientVariables(const ServerAddress& address, const KeyPair& keys,
                                                                 const std::string& data_path,
                                                                 const std::string& ca_bundle) {
  std::vector<std::pair<std::string, std::string>> variables{{"AWS_ENDPOINT_URL", address.endpoint},
                                                             {"AWS_ACCESS_KEY_ID", keys.access_key_id},
                                                             {"AWS_SECRET_ACCESS_KEY", keys.secret_access_key},
                                                             {"AWS_DEFAULT_REGION", address.region},
                                                             {"AWS_REGION", address.region}};
  if (!data_path.empty()) variables.emplace_back("AWS_DATA_PATH", data_path);
  if (!ca_bundle.empty()) variables.emplace_back("AWS_CA_BUNDLE", ca_bundle);
  return variables;
}

std::string ExportLine(const std::string& name, const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return "export " + name + "=" + quoted + "'";
}

}  // namespace headrace::apps
