// What a client needs in its environment to talk to the server of a data directory.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/data_directory.h"

namespace headrace::apps {

// In the order they are printed. `ca_bundle` and `data_path` may be empty: then they are left out.
std::vector<std::pair<std::string, std::string>> ClientVariables(const ServerAddress& address, const KeyPair& keys,
                                                                 const std::string& data_path,
                                                                 const std::string& ca_bundle);
// export NAME='value', quoted for a POSIX shell.
std::string ExportLine(const std::string& name, const std::string& value);

}  // namespace headrace::apps
