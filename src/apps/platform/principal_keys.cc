#include "apps/platform/principal_keys.h"

#include "api/iam/execution_role.h"
#include "base/log.h"

namespace headrace::apps {

std::optional<aws::SigningKey> PrincipalKeys::Find(std::string_view access_key_id) const {
  auto key = principals_.FindKey(access_key_id);
  if (!key) {
    if (key.error().code() != ErrorCode::kNotFound) Log(LogLevel::kError, "keys: {}", key.error().message());
    return std::nullopt;
  }
  std::string arn = key->session_arn.empty() ? api::CallerArn(key->account_id, key->principal) : key->session_arn;
  return aws::SigningKey{key->secret_access_key, key->session_token, key->expires,
                         aws::Identity{key->account_id, key->principal, key->access_key_id, std::move(arn)}};
}

}  // namespace headrace::apps
