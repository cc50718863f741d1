#include "store/meta/roles.h"

#include "store/meta/connection.h"
#include "store/random.h"

namespace headrace::store {
namespace {

constexpr const char* kSelect =
    "SELECT account_id, name, role_id, path, trust_policy, description, max_session_seconds, created_ms FROM roles ";

Role ReadRole(Query& row) {
  return {row.getColumn(0).getString(), row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getString(), row.getColumn(4).getString(), row.getColumn(5).getString(),
          row.getColumn(6).getInt64(),  row.getColumn(7).getInt64()};
}

void Bind(Query& statement, const std::string& account_id, const std::string& name) {
  statement.bind(1, account_id);
  statement.bind(2, name);
}

bool Exists(Connection& db, const std::string& account_id, const std::string& name) {
  Query query(db, "SELECT 1 FROM roles WHERE account_id = ? AND name = ?");
  Bind(query, account_id, name);
  return query.executeStep();
}

int64_t CountPolicies(Connection& db, const std::string& account_id, const std::string& role) {
  Query query(db, "SELECT count(*) FROM role_policies WHERE account_id = ? AND role = ?");
  Bind(query, account_id, role);
  query.executeStep();
  return query.getColumn(0).getInt64();
}

}  // namespace

Result<Role> Roles::Create(Role role) {
  role.role_id = "AROA" + RandomText(kBase32Digits, 17);
  HEADRACE_TRY(database_.Write([&](Connection& db) -> Status {
    if (Exists(db, role.account_id, role.name))
      return Fail(ErrorCode::kAlreadyExists, "role {}: exists already", role.name);
    Query insert(db,
                 "INSERT INTO roles (account_id, name, role_id, path, trust_policy, description, "
                 "max_session_seconds, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    Bind(insert, role.account_id, role.name);
    insert.bind(3, role.role_id);
    insert.bind(4, role.path);
    insert.bind(5, role.trust_policy);
    insert.bind(6, role.description);
    insert.bind(7, role.max_session_seconds);
    insert.bind(8, role.created);
    insert.exec();
    return {};
  }));
  return role;
}

Result<Role> Roles::Find(const std::string& account_id, const std::string& name) const {
  Role role;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query query(db, std::string(kSelect) + "WHERE account_id = ? AND name = ?");
    Bind(query, account_id, name);
    if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "role {}: does not exist", name);
    role = ReadRole(query);
    return {};
  }));
  return role;
}

Result<std::vector<Role>> Roles::List(const std::string& account_id, const std::string& path_prefix) const {
  std::vector<Role> roles;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query query(db, std::string(kSelect) + "WHERE account_id = ? ORDER BY name");
    query.bind(1, account_id);
    while (query.executeStep()) {
      Role role = ReadRole(query);
      if (role.path.starts_with(path_prefix)) roles.push_back(std::move(role));
    }
    return {};
  }));
  return roles;
}

Status Roles::Remove(const std::string& account_id, const std::string& name) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    if (!Exists(db, account_id, name)) return Fail(ErrorCode::kNotFound, "role {}: does not exist", name);
    if (const int64_t count = CountPolicies(db, account_id, name); count > 0)
      return Fail(ErrorCode::kFailedPrecondition, "role {}: has {} policies attached", name, count);
    Query remove(db, "DELETE FROM roles WHERE account_id = ? AND name = ?");
    Bind(remove, account_id, name);
    remove.exec();
    return {};
  });
}

Status Roles::Attach(const std::string& account_id, const std::string& role, const std::string& policy_arn) {
  return database_.Write([&](Connection& db) -> Status {
    Query insert(db,
                 "INSERT INTO role_policies (account_id, role, policy_arn) VALUES (?, ?, ?) "
                 "ON CONFLICT DO NOTHING");
    Bind(insert, account_id, role);
    insert.bind(3, policy_arn);
    insert.exec();
    const int64_t count = CountPolicies(db, account_id, role);
    if (count > static_cast<int64_t>(kMostPoliciesPerRole))
      return Fail(ErrorCode::kInvalidArgument, "policies of role {}: found {}, wanted at most {}", role, count,
                  kMostPoliciesPerRole);
    return {};
  });
}

Status Roles::Detach(const std::string& account_id, const std::string& role, const std::string& policy_arn) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    Query remove(db, "DELETE FROM role_policies WHERE account_id = ? AND role = ? AND policy_arn = ?");
    Bind(remove, account_id, role);
    remove.bind(3, policy_arn);
    if (remove.exec() == 0)
      return Fail(ErrorCode::kNotFound, "policy {}: is not attached to role {}", policy_arn, role);
    return {};
  });
}

Result<std::vector<std::string>> Roles::Policies(const std::string& account_id, const std::string& role) const {
  std::vector<std::string> policies;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query query(db, "SELECT policy_arn FROM role_policies WHERE account_id = ? AND role = ? ORDER BY policy_arn");
    Bind(query, account_id, role);
    while (query.executeStep()) policies.push_back(query.getColumn(0).getString());
    return {};
  }));
  return policies;
}

}  // namespace headrace::store
