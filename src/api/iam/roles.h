// Which roles exist: the built-in execution role, and those that CreateRole has made, each in its account.
#pragma once

#include <string>

#include "aws/error.h"
#include "store/meta/roles.h"

namespace headrace::api {

std::string RoleArn(const store::Role& role);
store::Role BuiltInRole(const std::string& account_id);

// NoSuchEntity when the account has no such role.
aws::Reply<store::Role> FindRole(store::Roles& roles, const std::string& account_id, const std::string& name);

// A failure of the store, in IAM's words.
aws::ServiceError IamFault(const Error& error);

}  // namespace headrace::api
