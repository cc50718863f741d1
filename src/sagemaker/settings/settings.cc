#include "sagemaker/settings/settings.h"

#include <charconv>
#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::sagemaker {
namespace {

constexpr size_t kMaxConfigBytes = size_t{4} << 20;

bool IsName(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::string ExpandVariables(const std::string& path, const Environment& environment) {
  std::string expanded;
  for (size_t i = 0; i < path.size();) {
    size_t begin = i + 1, end = begin, next = begin;
    if (path[i] == '$' && begin < path.size() && path[begin] == '{') {
      end = path.find('}', ++begin);
      next = end == std::string::npos ? end : end + 1;
    } else if (path[i] == '$') {
      while (end < path.size() && IsName(path[end])) ++end;
      next = end;
    }
    const auto value =
        end != std::string::npos && end > begin ? environment(path.substr(begin, end - begin)) : std::nullopt;
    if (value) {
      expanded += *value;
      i = next;
    } else {
      expanded += path[i++];
    }
  }
  return expanded;
}

std::string ExpandHome(const std::string& path, const Environment& environment) {
  if (!path.starts_with('~')) return path;
  const size_t slash = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, slash - 1);
  std::optional<std::string> home;
  if (user.empty()) home = environment("HOME");
  if (!home) {
    const struct passwd* entry = user.empty() ? ::getpwuid(::getuid()) : ::getpwnam(user.c_str());
    if (entry == nullptr) return path;
    home = entry->pw_dir;
  }
  while (home->ends_with('/')) home->pop_back();
  const std::string whole = *home + path.substr(slash);
  return whole.empty() ? "/" : whole;
}

Result<ConfigFile> Read(const std::string& path) {
  auto text = ReadRegularFile(path, kMaxConfigBytes);
  if (!text) {
    // As for botocore, what is no ordinary file is none.
    const bool absent =
        text.error().code() == ErrorCode::kNotFound || text.error().code() == ErrorCode::kFailedPrecondition;
    if (absent) return ConfigFile{};
    return tl::unexpected<Error>(text.error());
  }
  auto file = ParseConfigFile(*text);
  if (!file) return Fail(file.error().code(), "{}: {}", path, file.error().message());
  return file;
}

// "x" of the sections [KIND x] and [KIND "x"].
std::optional<std::string> NameBehind(std::string_view kind, const std::string& section) {
  if (!section.starts_with(kind)) return std::nullopt;
  const auto words = ShellWords(section);
  if (!words || words->size() != 2) return std::nullopt;
  return (*words)[1];
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::string ExpandPath(const std::string& path, const Environment& environment) {
  return ExpandHome(ExpandVariables(path, environment), environment);
}

std::optional<std::string> TextOf(const ConfigSection& section, const std::string& option) {
  const auto found = section.find(option);
  if (found == section.end() || found->second.is_nested) return std::nullopt;
  return found->second.text;
}

Result<Settings> Settings::Load(Environment environment, const std::string& explicit_profile) {
  Settings settings;
  settings.environment_ = std::move(environment);
  const auto path = [&](const char* variable, const char* otherwise) {
    return ExpandPath(settings.environment_(variable).value_or(otherwise), settings.environment_);
  };
  HEADRACE_ASSIGN(ConfigFile config, Read(path("AWS_CONFIG_FILE", "~/.aws/config")));
  HEADRACE_ASSIGN(settings.credentials_file_, Read(path("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")));
  for (const auto& [name, section] : config.sections) {
    if (const auto profile = NameBehind("profile", name)) {
      settings.config_profiles_[*profile] = section;
    } else if (const auto services = NameBehind("services", name)) {
      settings.services_[*services] = section;
    } else if (name == "default") {
      settings.config_profiles_[name] = section;
    }
  }
  settings.profiles_ = settings.config_profiles_;
  for (const auto& [name, section] : settings.credentials_file_.sections) {
    for (const auto& [option, value] : section) settings.profiles_[name][option] = value;
    settings.profiles_.try_emplace(name);
  }
  std::optional<std::string> named;
  if (!explicit_profile.empty()) named = explicit_profile;
  for (const char* variable : {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}) {
    if (!named) named = settings.environment_(variable);
  }
  settings.explicit_ = !explicit_profile.empty();
  settings.profile_name_ = named.value_or("default");
  if (named && settings.Profile(*named) == nullptr)
    return Fail(
        ErrorCode::kNotFound,
        "profile '{}': it stands in neither file of AWS's settings (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE)",
        *named);
  return settings;
}

const ConfigSection* Settings::Profile(const std::string& name) const {
  const auto found = profiles_.find(name);
  return found == profiles_.end() ? nullptr : &found->second;
}

const ConfigSection* Settings::ConfigFileProfile(const std::string& name) const {
  const auto found = config_profiles_.find(name);
  return found == config_profiles_.end() ? nullptr : &found->second;
}

std::optional<std::string> Settings::OfProfile(const std::string& option) const {
  const ConfigSection* profile = Profile(profile_name_);
  return profile != nullptr ? TextOf(*profile, option) : std::nullopt;
}

std::optional<std::string> Settings::VariableOr(const std::string& variable, const std::string& option) const {
  if (auto value = environment_(variable)) return value;
  return OfProfile(option);
}

std::optional<std::string> Settings::region() const {
  if (auto region = VariableOr("AWS_DEFAULT_REGION", "region")) return region;
  return environment_("AWS_REGION");  // which botocore does not read, and AWS's other SDKs do
}

std::optional<std::string> Settings::ca_bundle() const { return VariableOr("AWS_CA_BUNDLE", "ca_bundle"); }

Result<std::optional<int>> Settings::max_attempts() const {
  const auto text = VariableOr("AWS_MAX_ATTEMPTS", "max_attempts");
  if (!text) return std::nullopt;
  int attempts = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), attempts);
  if (error != std::errc() || end != text->data() + text->size() || attempts < 1)
    return Fail(ErrorCode::kInvalidArgument,
                "AWS_MAX_ATTEMPTS or max_attempts: found '{}', wanted a number of at least 1", *text);
  return attempts;
}

bool Settings::IgnoresConfiguredEndpoints() const {
  auto text = VariableOr("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls").value_or("");
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text == "true";
}

Result<std::optional<ConfiguredEndpoint>> Settings::EndpointOf(const std::string& service_id) const {
  using Found = std::optional<ConfiguredEndpoint>;
  if (IgnoresConfiguredEndpoints()) return Found();
  std::string upper = service_id;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& variable : {"AWS_ENDPOINT_URL_" + upper, std::string("AWS_ENDPOINT_URL")}) {
    if (const auto url = environment_(variable); url && !url->empty()) return Found({*url, false});
  }
  if (const auto name = OfProfile("services")) {
    const auto services = services_.find(*name);
    if (services == services_.end() || services->second.empty())
      return Fail(ErrorCode::kInvalidArgument, "profile '{}': services: there is no section [services {}]",
                  profile_name_, *name);
    if (const auto service = services->second.find(service_id); service != services->second.end()) {
      if (!service->second.is_nested)
        return Fail(ErrorCode::kInvalidArgument, "[services {}]: {}: wanted indented settings, such as endpoint_url",
                    *name, service_id);
      const auto url = service->second.nested.find("endpoint_url");
      if (url != service->second.nested.end() && !url->second.empty()) return Found({url->second, true});
    }
  }
  if (const auto url = OfProfile("endpoint_url"); url && !url->empty()) return Found({*url, true});
  return Found();
}

}  // namespace headrace::sagemaker
