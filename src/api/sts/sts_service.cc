#include "api/sts/sts_service.h"

#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "api/iam/roles.h"

namespace headrace::api {
namespace {

using aws::Json;
using aws::Reply;

std::string TextIn(const Json& input, const char* member) {
  const auto found = input.find(member);
  return found != input.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// DurationSeconds within its bounds.
Reply<int64_t> DurationIn(const Json& input, int64_t otherwise, int64_t longest) {
  const std::string text = TextIn(input, "DurationSeconds");
  if (text.empty()) return otherwise;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 900 && seconds <= longest) return seconds;
  return aws::Refuse("ValidationError",
                     fmt::format("DurationSeconds '{}': wanted 900 to {} seconds.", text.substr(0, 32), longest));
}

Json Credentials(const store::AccessKey& key) {
  return {{"AccessKeyId", key.access_key_id},
          {"SecretAccessKey", key.secret_access_key},
          {"SessionToken", key.session_token},
          {"Expiration", key.expires / 1000}};
}

// ROLE/SESSION at the end of an assumed role's ARN.
std::string UserId(const aws::Identity& caller) {
  return fmt::format("AROAHEADRACE{}:{}", caller.account_id.substr(0, 9), caller.arn.substr(caller.arn.rfind('/') + 1));
}

Reply<Json> GetCallerIdentity(const aws::Call& call) {
  return Json{{"Arn", call.caller.arn}, {"UserId", UserId(call.caller)}, {"Account", call.caller.account_id}};
}

Reply<std::string> SessionNameIn(const Json& input) {
  std::string name = TextIn(input, "RoleSessionName");
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";
  if (name.size() >= 2 && name.size() <= 64 && name.find_first_not_of(kAllowed) == std::string::npos) return name;
  return aws::Refuse("ValidationError", fmt::format("1 validation error detected: Value '{}' at 'roleSessionName' "
                                                    "failed to satisfy constraint: Member must satisfy regular "
                                                    "expression pattern: [\\w+=,.@-]{{2,64}}",
                                                    name.substr(0, 64)));
}

// The role behind an ARN, which must be the caller's account's.
Reply<store::Role> RoleIn(const Json& input, const aws::Call& call, store::Roles& roles) {
  const std::string arn = TextIn(input, "RoleArn");
  if (arn.size() < 20 || arn.size() > 2048 || !arn.starts_with("arn:aws"))
    return aws::Refuse("ValidationError", fmt::format("{} is invalid", arn.substr(0, 128)));
  auto role = FindRole(roles, call.caller.account_id, arn.substr(arn.rfind('/') + 1));
  if (role && RoleArn(*role) == arn) return role;
  if (!role && role.error().status >= 500) return role;
  return aws::Refuse(
      "AccessDenied",
      fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", call.caller.arn, arn), 403);
}

Reply<store::AccessKey> NewSession(store::Principals& principals, const aws::Call& call, const std::string& arn,
                                   int64_t seconds) {
  auto key = principals.AddDerivedKey(call.caller.access_key_id, arn, seconds * 1000);
  if (key) return std::move(*key);
  // Between the signature's check and now.
  if (key.error().code() == ErrorCode::kFailedPrecondition)
    return aws::Refuse("InvalidClientTokenId", "The security token included in the request is invalid.", 403);
  return tl::unexpected(IamFault(key.error()));
}

Reply<Json> AssumeRole(store::Principals& principals, store::Roles& roles, const aws::Call& call, const Json& input) {
  const auto session = SessionNameIn(input);
  if (!session) return tl::unexpected(session.error());
  const auto role = RoleIn(input, call, roles);
  if (!role) return tl::unexpected(role.error());
  const auto seconds = DurationIn(input, 3600, role->max_session_seconds);
  if (!seconds) return tl::unexpected(seconds.error());
  const std::string arn =
      fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", call.caller.account_id, role->name, *session);
  const auto key = NewSession(principals, call, arn, *seconds);
  if (!key) return tl::unexpected(key.error());
  return Json{{"Credentials", Credentials(*key)},
              {"AssumedRoleUser", {{"AssumedRoleId", role->role_id + ":" + *session}, {"Arn", arn}}}};
}

Reply<Json> GetSessionToken(store::Principals& principals, const aws::Call& call, const Json& input) {
  if (call.caller.access_key_id.starts_with("ASIA"))
    return aws::Refuse("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
  const auto seconds = DurationIn(input, 43200, 129600);
  if (!seconds) return tl::unexpected(seconds.error());
  const auto key = NewSession(principals, call, call.caller.arn, *seconds);
  if (!key) return tl::unexpected(key.error());
  return Json{{"Credentials", Credentials(*key)}};
}

}  // namespace

aws::Service StsService(StsOptions options) {
  aws::Service service;
  service.signing_name = "sts";
  service.query_version = "2011-06-15";
  service.xml_namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
  service.timestamps = {"Expiration"};
  auto& principals = options.principals;
  const auto roles = std::make_shared<store::Roles>(options.database);
  service.operations["GetCallerIdentity"] = [](const aws::Call& call, const Json&) { return GetCallerIdentity(call); };
  service.operations["AssumeRole"] = [&principals, roles](const aws::Call& call, const Json& input) {
    return AssumeRole(principals, *roles, call, input);
  };
  service.operations["GetSessionToken"] = [&principals](const aws::Call& call, const Json& input) {
    return GetSessionToken(principals, call, input);
  };
  return service;
}

}  // namespace headrace::api
