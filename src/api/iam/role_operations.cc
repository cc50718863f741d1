#include <algorithm>

#include <fmt/format.h>

#include "api/iam/execution_role.h"
#include "api/iam/operations.h"
#include "api/iam/roles.h"
#include "http/message.h"

namespace headrace::api::iam {
namespace {

aws::Json Describe(const store::Role& role) {
  aws::Json described = {{"Path", role.path},
                         {"RoleName", role.name},
                         {"RoleId", role.role_id},
                         {"Arn", RoleArn(role)},
                         {"CreateDate", role.created / 1000},
                         {"AssumeRolePolicyDocument", http::PercentEncode(role.trust_policy, false)},
                         {"MaxSessionDuration", role.max_session_seconds}};
  if (!role.description.empty()) described["Description"] = role.description;
  return described;
}

std::string TextIn(const aws::Json& input, const char* member, const std::string& otherwise) {
  const auto found = input.find(member);
  return found != input.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

aws::Reply<std::string> PathIn(const aws::Json& input) {
  std::string path = TextIn(input, "Path", "/");
  if (path.size() <= 512 && path.starts_with('/') && path.ends_with('/')) return path;
  return aws::Refuse("ValidationError", fmt::format("Path '{}': wanted one that begins and ends with '/', of at most "
                                                    "512 characters.",
                                                    path.substr(0, 64)));
}

aws::Reply<std::string> TrustPolicyIn(const aws::Json& input) {
  std::string policy = TextIn(input, "AssumeRolePolicyDocument", "");
  const aws::Json parsed = aws::Json::parse(policy, nullptr, false);
  if (policy.size() <= 131072 && parsed.is_object() && parsed.contains("Statement")) return policy;
  return aws::Refuse("MalformedPolicyDocument", "AssumeRolePolicyDocument: wanted a JSON object with a Statement.");
}

aws::Reply<int64_t> MaxSessionIn(const aws::Json& input) {
  const std::string text = TextIn(input, "MaxSessionDuration", "3600");
  const bool digits = !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
  const int64_t seconds = digits ? std::stoll(text) : 0;
  if (seconds >= 3600 && seconds <= 43200) return seconds;
  return aws::Refuse("ValidationError",
                     fmt::format("MaxSessionDuration '{}': wanted 3600 to 43200 seconds.", text.substr(0, 32)));
}

}  // namespace

aws::Reply<std::string> NameIn(const aws::Json& input, std::string_view member, size_t longest,
                               std::string_view punctuation) {
  std::string text = TextIn(input, std::string(member).c_str(), "");
  const auto allowed = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), allowed)) return text;
  return aws::Refuse("ValidationError", fmt::format("{} '{}': wanted 1 to {} letters, digits or characters of {}",
                                                    member, text.substr(0, 64), longest, punctuation));
}

aws::Reply<aws::Json> GetRole(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto name = NameIn(input, "RoleName", 64);
  if (!name) return tl::unexpected(name.error());
  const auto role = FindRole(roles, call.caller.account_id, *name);
  if (!role) return tl::unexpected(role.error());
  return aws::Json{{"Role", Describe(*role)}};
}

aws::Reply<aws::Json> CreateRole(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto name = NameIn(input, "RoleName", 64);
  if (!name) return tl::unexpected(name.error());
  auto path = PathIn(input);
  if (!path) return tl::unexpected(path.error());
  auto policy = TrustPolicyIn(input);
  if (!policy) return tl::unexpected(policy.error());
  const auto seconds = MaxSessionIn(input);
  if (!seconds) return tl::unexpected(seconds.error());
  const auto taken = [&] {
    return aws::Refuse("EntityAlreadyExists", fmt::format("Role with name {} already exists.", *name), 409);
  };
  if (*name == kExecutionRole) return taken();
  const auto role = roles.Create({call.caller.account_id, *name, "", std::move(*path), std::move(*policy),
                                  TextIn(input, "Description", "").substr(0, 1000), *seconds, call.now});
  if (role) return aws::Json{{"Role", Describe(*role)}};
  if (role.error().code() == ErrorCode::kAlreadyExists) return taken();
  return tl::unexpected(IamFault(role.error()));
}

aws::Reply<aws::Json> ListRoles(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const std::string prefix = TextIn(input, "PathPrefix", "/");
  const auto made = roles.List(call.caller.account_id, prefix);
  if (!made) return tl::unexpected(IamFault(made.error()));
  aws::Json list = aws::Json::array();
  if (kExecutionRolePath.starts_with(prefix)) list.push_back(Describe(BuiltInRole(call.caller.account_id)));
  for (const store::Role& role : *made) list.push_back(Describe(role));
  return aws::Json{{"Roles", std::move(list)}, {"IsTruncated", false}};
}

aws::Reply<aws::Json> DeleteRole(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto name = NameIn(input, "RoleName", 64);
  if (!name) return tl::unexpected(name.error());
  if (*name == kExecutionRole)
    return aws::Refuse("UnmodifiableEntity", fmt::format("Role {} is built in and cannot be deleted.", *name));
  const auto known = FindRole(roles, call.caller.account_id, *name);
  if (!known) return tl::unexpected(known.error());
  if (auto removed = roles.Remove(call.caller.account_id, *name); !removed)
    return tl::unexpected(IamFault(removed.error()));
  return aws::Json::object();
}

}  // namespace headrace::api::iam
