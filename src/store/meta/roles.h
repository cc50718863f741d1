// Roles that users have made, with the policies attached to them. They are names to run jobs under: what a caller may
// do depends on the account alone.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/database.h"

namespace headrace::store {

struct Role {
  std::string account_id, name;
  std::string role_id;  // "AROA…"; made by Create
  std::string path = "/";
  std::string trust_policy;  // JSON text
  std::string description;
  int64_t max_session_seconds = 3600;
  UnixMillis created = 0;
};

class Roles {
 public:
  static constexpr size_t kMostPoliciesPerRole = 20;

  explicit Roles(Database& database) : database_(database) {}

  // Returns it with its role_id; kAlreadyExists.
  Result<Role> Create(Role role);
  Result<Role> Find(const std::string& account_id, const std::string& name) const;  // kNotFound
  // By name, those whose path starts with `path_prefix`.
  Result<std::vector<Role>> List(const std::string& account_id, const std::string& path_prefix) const;
  // kNotFound; kFailedPrecondition while policies are attached.
  Status Remove(const std::string& account_id, const std::string& name);

  // Of any role, also of one that is not in this table. kResourceExhausted beyond kMostPoliciesPerRole.
  Status Attach(const std::string& account_id, const std::string& role, const std::string& policy_arn);
  Status Detach(const std::string& account_id, const std::string& role, const std::string& policy_arn);  // kNotFound
  Result<std::vector<std::string>> Policies(const std::string& account_id, const std::string& role) const;

 private:
  Database& database_;
};

}  // namespace headrace::store
