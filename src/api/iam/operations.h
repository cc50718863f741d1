// The operations of IAM, one function each.
#pragma once

#include "aws/service.h"
#include "store/meta/roles.h"

namespace headrace::api::iam {

aws::Reply<aws::Json> GetRole(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> CreateRole(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> ListRoles(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> DeleteRole(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> AttachRolePolicy(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> DetachRolePolicy(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> ListAttachedRolePolicies(store::Roles& roles, const aws::Call& call, const aws::Json& input);
aws::Reply<aws::Json> SimulatePrincipalPolicy(store::Roles& roles, const aws::Call& call, const aws::Json& input);

// The member as a name of letters, digits and `punctuation`, or a ValidationError.
inline constexpr std::string_view kNamePunctuation = "+=,.@-_";
aws::Reply<std::string> NameIn(const aws::Json& input, std::string_view member, size_t longest,
                               std::string_view punctuation = kNamePunctuation);

}  // namespace headrace::api::iam
