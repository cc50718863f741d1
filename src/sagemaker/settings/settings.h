// What the environment and the files of AWS's tools say: profile, region, endpoints, certificates, retries. The order
// and the names are botocore's.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sagemaker/settings/config_file.h"

namespace headrace::sagemaker {

// The value of a variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

// A path with its variables ($NAME, ${NAME}) and its "~" replaced.
std::string ExpandPath(const std::string& path, const Environment& environment);

struct ConfiguredEndpoint {
  std::string url;
  bool from_profile = false;  // it stands in the profile, not in a variable
};

class Settings {
 public:
  // `explicit_profile`: named by the program; "": AWS_DEFAULT_PROFILE, AWS_PROFILE, else "default". A file that is not
  // there has nothing to say. kInvalidArgument names the file that is malformed; kNotFound the profile that is nowhere.
  static Result<Settings> Load(Environment environment, const std::string& explicit_profile);

  const Environment& environment() const { return environment_; }
  const std::string& profile_name() const { return profile_name_; }
  bool profile_is_explicit() const { return explicit_; }

  // A setting of the profile, from either file.
  std::optional<std::string> OfProfile(const std::string& option) const;
  // All settings of any profile from both files; null when there is none.
  const ConfigSection* Profile(const std::string& name) const;
  // Those of the one file or the other alone.
  const ConfigSection* CredentialsFileProfile(const std::string& name) const { return credentials_file_.Find(name); }
  const ConfigSection* ConfigFileProfile(const std::string& name) const;

  std::optional<std::string> region() const;
  std::optional<std::string> ca_bundle() const;
  Result<std::optional<int>> max_attempts() const;
  // `service_id`: "s3", "sagemaker_runtime", "cloudwatch_logs". Nothing: AWS's own.
  Result<std::optional<ConfiguredEndpoint>> EndpointOf(const std::string& service_id) const;

 private:
  std::optional<std::string> VariableOr(const std::string& variable, const std::string& option) const;
  bool IgnoresConfiguredEndpoints() const;

  Environment environment_;
  std::string profile_name_;
  bool explicit_ = false;
  std::map<std::string, ConfigSection> config_profiles_, profiles_, services_;
  ConfigFile credentials_file_;
};

// The text of an option in a section; nothing for one that is absent or a group of sub-settings.
std::optional<std::string> TextOf(const ConfigSection& section, const std::string& option);

}  // namespace headrace::sagemaker
