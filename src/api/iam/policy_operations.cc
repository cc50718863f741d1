#include <fmt/format.h>

#include "api/iam/operations.h"
#include "api/iam/roles.h"

namespace headrace::api::iam {
namespace {

struct Attachment {
  std::string role, policy_arn;
};

aws::Reply<Attachment> ReadAttachment(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto role = NameIn(input, "RoleName", 64);
  if (!role) return tl::unexpected(role.error());
  const auto policy = NameIn(input, "PolicyArn", 2048, "+=,.@-_:/*");
  if (!policy) return tl::unexpected(policy.error());
  if (!policy->starts_with("arn:aws"))
    return aws::Refuse("InvalidInput", fmt::format("ARN {} is not valid.", policy->substr(0, 128)));
  const auto known = FindRole(roles, call.caller.account_id, *role);
  if (!known) return tl::unexpected(known.error());
  return Attachment{*role, *policy};
}

}  // namespace

aws::Reply<aws::Json> AttachRolePolicy(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto wanted = ReadAttachment(roles, call, input);
  if (!wanted) return tl::unexpected(wanted.error());
  if (auto done = roles.Attach(call.caller.account_id, wanted->role, wanted->policy_arn); !done)
    return tl::unexpected(IamFault(done.error()));
  return aws::Json::object();
}

aws::Reply<aws::Json> DetachRolePolicy(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto wanted = ReadAttachment(roles, call, input);
  if (!wanted) return tl::unexpected(wanted.error());
  if (auto done = roles.Detach(call.caller.account_id, wanted->role, wanted->policy_arn); !done)
    return tl::unexpected(IamFault(done.error()));
  return aws::Json::object();
}

aws::Reply<aws::Json> ListAttachedRolePolicies(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto name = NameIn(input, "RoleName", 64);
  if (!name) return tl::unexpected(name.error());
  const auto known = FindRole(roles, call.caller.account_id, *name);
  if (!known) return tl::unexpected(known.error());
  const auto policies = roles.Policies(call.caller.account_id, *name);
  if (!policies) return tl::unexpected(IamFault(policies.error()));
  aws::Json list = aws::Json::array();
  for (const std::string& arn : *policies)
    list.push_back({{"PolicyName", arn.substr(arn.rfind('/') + 1)}, {"PolicyArn", arn}});
  return aws::Json{{"AttachedPolicies", std::move(list)}, {"IsTruncated", false}};
}

// A job acts as its account whatever role it names, so a role of the account may do all that the account may.
aws::Reply<aws::Json> SimulatePrincipalPolicy(store::Roles& roles, const aws::Call& call, const aws::Json& input) {
  const auto arn = NameIn(input, "PolicySourceArn", 2048, "+=,.@-_:/");
  if (!arn) return tl::unexpected(arn.error());
  const auto known = FindRole(roles, call.caller.account_id, arn->substr(arn->rfind('/') + 1));
  if (!known) return tl::unexpected(known.error());
  const auto actions = input.find("ActionNames");
  if (actions == input.end() || !actions->is_array() || actions->empty())
    return aws::Refuse("InvalidInput", "ActionNames: wanted at least one action");
  aws::Json results = aws::Json::array();
  for (const auto& action : *actions)
    results.push_back({{"EvalActionName", action}, {"EvalResourceName", "*"}, {"EvalDecision", "allowed"}});
  return aws::Json{{"EvaluationResults", std::move(results)}, {"IsTruncated", false}};
}

}  // namespace headrace::api::iam
