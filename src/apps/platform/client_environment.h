// What a client needs in its environment to talk to the server of a data directory, and what must not be there.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "apps/platform/data_directory.h"

namespace headrace::apps {

using Variables = std::vector<std::pair<std::string, std::string>>;
// The value of a variable of the client's shell, or null.
using GetVariable = std::function<const char*(const char* name)>;

// Files that variables name; "": that variable is left out.
struct ClientFiles {
  std::string data_path, ca_bundle, sagemaker_config;
};

// In the order they are printed.
Variables ClientVariables(const ServerAddress& address, const KeyPair& keys, const ClientFiles& files);

// What a shell has that would lead clients past our variables, or break them: another session's token, a profile,
// endpoints of single services, the order to ignore endpoints, and an AWS_CA_BUNDLE, with which Go programs that have
// an HTTP client of their own do not start, and which an endpoint without TLS has no use for.
std::vector<std::string> MisleadingVariables(const char* const* environment);

// NO_PROXY and no_proxy with the server's host, where the shell has a proxy that would get our requests; else none.
Variables ProxyExceptions(const GetVariable& get, const std::string& endpoint);

// The SageMaker SDKs read a configuration of the machine and one of the user, each from a place of its own or from
// where a variable says. The variable whose place is free for ours; "" when both are taken.
std::string SageMakerConfigVariable(const GetVariable& get, const std::string& ours);
// The configuration: no telemetry to Amazon.
std::string SageMakerConfig();

// export NAME='value', quoted for a POSIX shell.
std::string ExportLine(const std::string& name, const std::string& value);

}  // namespace headrace::apps
