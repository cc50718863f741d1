// The files ~/.aws/config and ~/.aws/credentials, read as botocore reads them: Python's RawConfigParser with one level
// of indented sub-settings.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace headrace::sagemaker {

struct ConfigValue {
  std::string text;                           // "" for a value that is a group of sub-settings
  std::map<std::string, std::string> nested;  // the sub-settings
  bool is_nested = false;
  bool operator==(const ConfigValue&) const = default;
};
using ConfigSection = std::map<std::string, ConfigValue>;  // by option, in lower case

struct ConfigFile {
  std::vector<std::pair<std::string, ConfigSection>> sections;  // in order; names as they stand between the brackets
  const ConfigSection* Find(std::string_view name) const;
};

// kInvalidArgument names the line: one before the first section, one that is no setting, a section or setting that
// stands twice, text that is not UTF-8. The messages hold no values.
Result<ConfigFile> ParseConfigFile(std::string_view text);

// A line's words as a POSIX shell splits them (Python's shlex.split); kInvalidArgument for an open quote.
Result<std::vector<std::string>> ShellWords(std::string_view line);

}  // namespace headrace::sagemaker
