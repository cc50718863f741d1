// Caller: who asks for an object, as bucket policies and ACLs know him.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/meta/database.h"

namespace headrace::store {

struct Caller {
  std::string account_id;  // 12 digits
  std::string user;        // the principal that has the account: "default", "alice"
  std::string arn;         // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
};

// The role that every account has from the start; everybody shows as a session of it (api/iam/execution_role.h).
inline constexpr std::string_view kExecutionRole = "AmazonSageMaker-ExecutionRole-headrace";

// The ARN of that role's session `session` in an account.
std::string ExecutionSessionArn(std::string_view account_id, std::string_view session);

// What the account's principal is to S3 when it calls with a key of its own. An account that nobody has is a caller
// without a name.
Result<Caller> CallerOf(Database& database, const std::string& account_id);

}  // namespace headrace::store
