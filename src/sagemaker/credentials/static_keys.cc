#include "aws/time.h"
#include "sagemaker/credentials/places.h"

namespace headrace::sagemaker {

ServiceError WrongConfiguration(std::string message) {
  return LocalError(ErrorCode::kFailedPrecondition, "Configuration", std::move(message));
}

Found KeysOfEnvironment(const Environment& environment) {
  const auto get = [&](const char* name) { return environment(name).value_or(""); };
  FoundCredentials found{
      {get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SECURITY_TOKEN")}, "env", {}, false};
  if (found.keys.access_key_id.empty()) return std::optional<FoundCredentials>();
  if (found.keys.secret_access_key.empty())
    return WrongConfiguration("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not");
  if (found.keys.session_token.empty()) found.keys.session_token = get("AWS_SESSION_TOKEN");
  if (const std::string expiration = get("AWS_CREDENTIAL_EXPIRATION"); !expiration.empty()) {
    found.expires = aws::ParseIso8601(expiration);
    if (!found.expires)
      return WrongConfiguration("AWS_CREDENTIAL_EXPIRATION: found '" + expiration + "', wanted a time of ISO 8601");
  }
  return std::optional(found);
}

Found KeysOfSection(const ConfigSection* section, const std::string& method) {
  if (section == nullptr) return std::optional<FoundCredentials>();
  const auto key = TextOf(*section, "aws_access_key_id");
  if (!key) return std::optional<FoundCredentials>();
  const auto secret = TextOf(*section, "aws_secret_access_key");
  if (!secret)
    return WrongConfiguration("a profile has aws_access_key_id and no aws_secret_access_key (" + method + ")");
  auto token = TextOf(*section, "aws_security_token");
  if (!token) token = TextOf(*section, "aws_session_token");
  return std::optional(FoundCredentials{{*key, *secret, token.value_or("")}, method, {}, true});
}

}  // namespace headrace::sagemaker
