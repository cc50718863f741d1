#include "store/access/policy.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

namespace headrace::store {

using Json = nlohmann::json;

namespace {

constexpr size_t kMaxPolicyBytes = 20'480;

tl::unexpected<Error> Malformed(const std::string& message) { return Fail(ErrorCode::kInvalidArgument, "{}", message); }
tl::unexpected<Error> Beyond(const std::string& feature) { return Fail(ErrorCode::kFailedPrecondition, "{}", feature); }

// A string or a list of strings.
Result<std::vector<std::string>> Strings(const Json& value, std::string_view field) {
  std::vector<std::string> strings;
  if (value.is_string()) return std::vector<std::string>{value.get<std::string>()};
  if (!value.is_array() || value.empty())
    return Malformed(fmt::format("{}: wanted a string or a list of strings", field));
  for (const Json& item : value) {
    if (!item.is_string()) return Malformed(fmt::format("{}: wanted a string or a list of strings", field));
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "arn:aws:iam::ACCOUNT:REST" cut into ACCOUNT and REST.
bool CutArn(std::string_view arn, std::string_view service, std::string_view& account, std::string_view& rest) {
  const std::string head = fmt::format("arn:aws:{}::", service);
  if (!arn.starts_with(head) || arn.size() < head.size() + 13 || arn[head.size() + 12] != ':') return false;
  account = arn.substr(head.size(), 12);
  rest = arn.substr(head.size() + 13);
  return IsAccount(account) && !rest.empty();
}

Status CheckPrincipal(const std::string& principal) {
  std::string_view account, rest;
  const bool known = principal == "*" || IsAccount(principal) || CutArn(principal, "iam", account, rest) ||
                     CutArn(principal, "sts", account, rest);
  if (!known) return Malformed(fmt::format("Invalid principal in policy: \"AWS\" : \"{}\"", principal));
  return {};
}

bool IsCaller(const std::string& principal, const Caller& caller) {
  if (principal == "*" || principal == caller.account_id || principal == caller.arn) return true;
  std::string_view account, rest;
  if (!CutArn(principal, "iam", account, rest) || account != caller.account_id) return false;
  if (rest == "root" || rest == "user/" + caller.user) return true;
  // A role stands for the sessions in it.
  if (!rest.starts_with("role/")) return false;
  const std::string_view role = rest.substr(rest.rfind('/') + 1);
  return caller.arn.find(fmt::format(":assumed-role/{}/", role)) != std::string::npos;
}

}  // namespace

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, behind_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      behind_star = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++behind_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

class PolicyReader {
 public:
  explicit PolicyReader(const std::string& bucket) : arn_("arn:aws:s3:::" + bucket) {}

  Result<Policy> Read(const Json& document) const {
    if (!document.is_object()) return Malformed("Policies must be valid JSON and the first byte must be '{'");
    for (const auto& [field, value] : document.items())
      if (field != "Version" && field != "Id" && field != "Statement")
        return Malformed(fmt::format("Unknown field {}", field));
    const auto version = document.find("Version");
    if (version != document.end() && *version != "2012-10-17" && *version != "2008-10-17")
      return Malformed("The policy must contain a valid version string");
    const auto statements = document.find("Statement");
    if (statements == document.end() || statements->empty()) return Malformed("Missing required field Statement");
    Policy policy;
    const Json list = statements->is_array() ? *statements : Json::array({*statements});
    for (const Json& statement : list) {
      HEADRACE_ASSIGN(Policy::Statement read, ReadStatement(statement));
      policy.statements_.push_back(std::move(read));
    }
    return policy;
  }

 private:
  Result<Policy::Statement> ReadStatement(const Json& json) const {
    if (!json.is_object()) return Malformed("Statement: wanted an object");
    for (const auto& [field, value] : json.items()) {
      if (field == "Condition" || field == "NotPrincipal" || field == "NotAction" || field == "NotResource")
        return Beyond("Policy " + field);
      if (field != "Sid" && field != "Effect" && field != "Principal" && field != "Action" && field != "Resource")
        return Malformed(fmt::format("Unknown field {}", field));
    }
    for (const char* field : {"Effect", "Principal", "Action", "Resource"})
      if (!json.contains(field)) return Malformed(fmt::format("Missing required field {}", field));
    Policy::Statement statement;
    const Json& effect = json["Effect"];
    if (effect != "Allow" && effect != "Deny") return Malformed("Invalid effect: wanted Allow or Deny");
    statement.allow = effect == "Allow";
    HEADRACE_ASSIGN(statement.principals, ReadPrincipals(json["Principal"]));
    HEADRACE_ASSIGN(statement.actions, ReadActions(json["Action"]));
    HEADRACE_ASSIGN(statement.resources, ReadResources(json["Resource"]));
    return statement;
  }

  Result<std::vector<std::string>> ReadPrincipals(const Json& json) const {
    if (json.is_string()) {
      if (json != "*") return Malformed("Invalid principal in policy");
      return std::vector<std::string>{"*"};
    }
    if (!json.is_object() || json.empty()) return Malformed("Invalid principal in policy");
    for (const auto& [kind, value] : json.items())
      if (kind != "AWS") return Beyond("Policy principal " + kind);
    HEADRACE_ASSIGN(auto principals, Strings(json["AWS"], "Principal"));
    for (const std::string& principal : principals) HEADRACE_TRY(CheckPrincipal(principal));
    return principals;
  }

  Result<std::vector<std::string>> ReadActions(const Json& json) const {
    HEADRACE_ASSIGN(auto actions, Strings(json, "Action"));
    for (std::string& action : actions) {
      action = Lower(action);
      if (action != "*" && (!action.starts_with("s3:") || action.size() == 3))
        return Malformed("Policy has invalid action");
    }
    return actions;
  }

  Result<std::vector<std::string>> ReadResources(const Json& json) const {
    HEADRACE_ASSIGN(auto resources, Strings(json, "Resource"));
    for (const std::string& resource : resources)
      if (resource != arn_ && !resource.starts_with(arn_ + "/") && resource != arn_ + "*")
        return Malformed("Policy has invalid resource");
    return resources;
  }

  const std::string arn_;
};

Result<Policy> Policy::Parse(std::string_view document, const std::string& bucket) {
  if (document.size() > kMaxPolicyBytes)
    return Malformed(fmt::format("Policy exceeds the maximum allowed document size of {} bytes", kMaxPolicyBytes));
  const Json json = Json::parse(document, nullptr, false);
  if (json.is_discarded()) return Malformed("Policies must be valid JSON and the first byte must be '{'");
  return PolicyReader(bucket).Read(json);
}

bool Policy::IsPublic() const {
  return std::any_of(statements_.begin(), statements_.end(), [](const Statement& statement) {
    return statement.allow &&
           std::find(statement.principals.begin(), statement.principals.end(), "*") != statement.principals.end();
  });
}

Verdict Policy::Judge(const Caller& caller, std::string_view action, std::string_view resource) const {
  Verdict verdict = Verdict::kNone;
  const std::string lower = Lower(action);
  const auto any = [](const auto& patterns, const auto& matches) {
    return std::any_of(patterns.begin(), patterns.end(), matches);
  };
  for (const Statement& statement : statements_) {
    if (!any(statement.principals, [&](const auto& principal) { return IsCaller(principal, caller); })) continue;
    if (!any(statement.actions, [&](const auto& pattern) { return MatchesPattern(pattern, lower); })) continue;
    if (!any(statement.resources, [&](const auto& pattern) { return MatchesPattern(pattern, resource); })) continue;
    if (!statement.allow) return Verdict::kDeny;
    verdict = Verdict::kAllow;
  }
  return verdict;
}

}  // namespace headrace::store
