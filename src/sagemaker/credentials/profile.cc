// A profile's own keys, and those of a role that it stands for.
#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/file.h"
#include "sagemaker/credentials/places.h"

namespace headrace::sagemaker {
namespace {

std::string SessionName() { return "headrace-session-" + std::to_string(SystemClock().Now() / 1000); }

std::optional<std::string> Option(const ConfigSection* profile, const std::string& name) {
  return profile != nullptr ? TextOf(*profile, name) : std::nullopt;
}

bool HasRole(const ConfigSection& profile) {
  return profile.contains("role_arn") && !profile.contains("web_identity_token_file");
}
bool HasKeys(const ConfigSection& profile) {
  return profile.contains("aws_access_key_id") || profile.contains("aws_secret_access_key");
}

ServiceError Unsupported(const std::string& profile, const char* what) {
  return WrongConfiguration(
      "profile '" + profile + "' signs in by " + what +
      ", which needs a browser: set credential_process = aws configure export-credentials --profile " + profile +
      " in a profile of its own, or use that command's variables");
}

// Follows a chain of roles from profile to profile.
class RoleChain {
 public:
  explicit RoleChain(const CredentialPlaces& places) : places_(places) {}

  Found Assume(const std::string& name) {
    const ConfigSection& profile = *places_.settings.Profile(name);
    visited_.push_back(name);
    Found source = Source(name, profile);
    if (!source.ok()) return source;
    std::map<std::string, std::string> parameters{
        {"RoleArn", Option(&profile, "role_arn").value_or("")},
        {"RoleSessionName", Option(&profile, "role_session_name").value_or(SessionName())}};
    if (const auto id = Option(&profile, "external_id")) parameters["ExternalId"] = *id;
    if (profile.contains("mfa_serial"))
      return WrongConfiguration(
          "profile '" + name +
          "': mfa_serial asks for a code at every start; use credential_process, or keys of a session that has one");
    if (const auto seconds = Option(&profile, "duration_seconds")) {
      int number = 0;
      const auto [end, error] = std::from_chars(seconds->data(), seconds->data() + seconds->size(), number);
      if (error == std::errc() && end == seconds->data() + seconds->size()) parameters["DurationSeconds"] = *seconds;
    }
    auto assumed = places_.ask_sts("AssumeRole", parameters, **source);
    if (!assumed.ok()) return assumed.error();
    return std::optional(*assumed);
  }

 private:
  // Who may assume the profile's role.
  Found Source(const std::string& name, const ConfigSection& profile) {
    const auto source = Option(&profile, "source_profile"), place = Option(&profile, "credential_source");
    if (source && place)
      return WrongConfiguration("profile '" + name +
                                "' has source_profile and credential_source: found both, wanted one");
    if (place) return OfPlace(name, *place);
    if (!source)
      return WrongConfiguration("profile '" + name +
                                "' has role_arn, and neither source_profile nor credential_source");
    return OfProfile(name, *source);
  }

  Found OfProfile(const std::string& name, const std::string& source) {
    const ConfigSection* profile = places_.settings.Profile(source);
    if (profile == nullptr)
      return WrongConfiguration("profile '" + name + "': source_profile: there is no profile '" + source + "'");
    const bool seen = std::find(visited_.begin(), visited_.end(), source) != visited_.end();
    // A profile may name itself, for its own keys.
    if (seen && (source != name || !HasKeys(*profile)))
      return WrongConfiguration("profile '" + name + "': source_profile '" + source + "' leads in a circle");
    if (!HasKeys(*profile) && HasRole(*profile)) return Assume(source);
    Found found = KeysOfProfile(places_, source, false);
    if (found.ok() && !found->has_value())
      return WrongConfiguration("profile '" + source + "', which is a source_profile, has no credentials");
    return found;
  }

  Found OfPlace(const std::string& name, const std::string& place) {
    Found found = Nothing();
    if (place == "Environment") {
      found = KeysOfEnvironment(places_.settings.environment());
    } else if (place == "EcsContainer") {
      found = KeysOfContainer(places_);
    } else if (place == "Ec2InstanceMetadata") {
      found = KeysOfMachine(places_);
    } else {
      return WrongConfiguration("profile '" + name + "': credential_source: found '" + place +
                                "', wanted Environment, EcsContainer or Ec2InstanceMetadata");
    }
    if (found.ok() && !found->has_value())
      return WrongConfiguration("profile '" + name + "': credential_source " + place + " has no credentials");
    return found;
  }

  const CredentialPlaces& places_;
  std::vector<std::string> visited_;
};

}  // namespace

Found KeysOfRole(const CredentialPlaces& places, const std::string& profile) {
  const ConfigSection* section = places.settings.Profile(profile);
  if (section == nullptr || !HasRole(*section)) return Nothing();
  return RoleChain(places).Assume(profile);
}

Found KeysOfWebIdentity(const CredentialPlaces& places, const std::string& profile, bool variables) {
  const ConfigSection* section = places.settings.Profile(profile);
  const auto get = [&](const char* variable, const char* option) {
    std::optional<std::string> value;
    if (variables) value = places.settings.environment()(variable);
    return value ? value : Option(section, option);
  };
  const std::string file = get("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file").value_or("");
  if (file.empty()) return Nothing();
  const std::string role = get("AWS_ROLE_ARN", "role_arn").value_or("");
  if (role.empty())
    return WrongConfiguration("a web identity's token file is set, and no role: set AWS_ROLE_ARN or role_arn");
  auto token = ReadRegularFile(file, kMaxToken);
  if (!token) return WrongConfiguration("web identity: " + token.error().message());
  auto assumed =
      places.ask_sts("AssumeRoleWithWebIdentity",
                     {{"RoleArn", role},
                      {"RoleSessionName", get("AWS_ROLE_SESSION_NAME", "role_session_name").value_or(SessionName())},
                      {"WebIdentityToken", *token}},
                     FoundCredentials{{}, "a web identity", {}, true});
  if (!assumed.ok()) return assumed.error();
  assumed->method = "assume-role-with-web-identity";
  return std::optional(*assumed);
}

Found KeysOfProfile(const CredentialPlaces& places, const std::string& profile, bool variables) {
  const Settings& settings = places.settings;
  const ConfigSection* section = settings.Profile(profile);
  const auto has = [&](const char* option) { return section != nullptr && section->contains(option); };
  Found found = KeysOfWebIdentity(places, profile, variables);
  const auto open = [&] { return found.ok() && !found->has_value(); };
  if (open() && (has("sso_role_name") || has("sso_account_id"))) return Unsupported(profile, "single sign-on");
  if (open()) found = KeysOfSection(settings.CredentialsFileProfile(profile), "shared-credentials-file");
  if (open() && has("login_session")) return Unsupported(profile, "`aws login`");
  if (open() && has("credential_process")) found = KeysOfProcess(Option(section, "credential_process").value_or(""));
  if (open()) found = KeysOfSection(settings.ConfigFileProfile(profile), "config-file");
  return found;
}

}  // namespace headrace::sagemaker
