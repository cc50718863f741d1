// The role that every account has from the start, and what callers look like.
//
// SageMaker's SDKs look for their execution role in the caller's ARN and ask IAM for the role of that name. So
// everybody shows as a session of one built-in role, named so that no SDK line needs more than it finds in the ARN.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "store/access/caller.h"

namespace headrace::api {

using store::kExecutionRole;
inline constexpr std::string_view kExecutionRolePath = "/service-role/";

// arn:aws:iam::ACCOUNT:role/service-role/…
inline std::string ExecutionRoleArn(std::string_view account_id) {
  return fmt::format("arn:aws:iam::{}:role{}{}", account_id, kExecutionRolePath, kExecutionRole);
}

// What GetCallerIdentity says to a principal with a long-lived key.
inline std::string CallerArn(std::string_view account_id, std::string_view principal) {
  return store::ExecutionSessionArn(account_id, principal);
}

}  // namespace headrace::api
