#include "store/meta/principals.h"

#include <cctype>

#include "store/meta/connection.h"
#include "store/random.h"

namespace headrace::store {
namespace {

constexpr size_t kMaxNameSize = 64;

constexpr char kSelectKey[] =
    "SELECT k.access_key_id, k.secret_access_key, k.session_token, k.session_arn, k.principal, p.account_id,"
    " k.holder, k.created_ms, k.expires_ms FROM access_keys k JOIN principals p ON p.name = k.principal ";

Status CheckName(const std::string& name) {
  bool good = !name.empty() && name.size() <= kMaxNameSize && std::isalnum(static_cast<unsigned char>(name[0])) != 0;
  for (const unsigned char c : name) good = good && (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-');
  if (good) return {};
  return Fail(
      ErrorCode::kInvalidArgument,
      "principal name: found \"{}\", wanted 1 to {} letters, digits, '.', '_' or '-', the first a letter or digit",
      name, kMaxNameSize);
}

AccessKey ReadKey(Query& row) {
  return {row.getColumn(0).getString(), row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getString(), row.getColumn(4).getString(), row.getColumn(5).getString(),
          row.getColumn(6).getString(), row.getColumn(7).getInt64(),  row.getColumn(8).getInt64()};
}

// The account of `name`, or "" without that principal.
std::string AccountOf(Connection& db, const std::string& name) {
  Query query(db, "SELECT account_id FROM principals WHERE name = ?");
  query.bind(1, name);
  return query.executeStep() ? query.getColumn(0).getString() : std::string();
}

int CountKeys(Connection& db, const std::string& name) {
  Query query(db, "SELECT count(*) FROM access_keys WHERE principal = ? AND session_token = ''");
  query.bind(1, name);
  query.executeStep();
  return query.getColumn(0).getInt();
}

void InsertPrincipal(Connection& db, const std::string& name, const std::string& account, UnixMillis now) {
  Query insert(db, "INSERT INTO principals VALUES (?, ?, ?)");
  insert.bind(1, name);
  insert.bind(2, account);
  insert.bind(3, now);
  insert.exec();
}

void InsertKey(Connection& db, const AccessKey& key) {
  Query insert(db,
               "INSERT INTO access_keys (access_key_id, principal, secret_access_key, session_token, session_arn,"
               " created_ms, expires_ms, holder) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, key.access_key_id);
  insert.bind(2, key.principal);
  insert.bind(3, key.secret_access_key);
  insert.bind(4, key.session_token);
  insert.bind(5, key.session_arn);
  insert.bind(6, key.created);
  insert.bind(7, key.expires);
  insert.bind(8, key.holder);
  insert.exec();
}

AccessKey NewKey(const std::string& principal, std::string_view id_prefix, UnixMillis now) {
  AccessKey key;
  key.access_key_id = std::string(id_prefix) + RandomText(kBase32Digits, 16);
  key.secret_access_key = RandomText(kBase64Digits, 40);
  key.principal = principal;
  key.created = now;
  return key;
}

// A job's keys are given while it runs, whoever asks late.
bool HasRunningJob(Connection& db, const std::string& principal, const std::string& arn) {
  Query query(db,
              "SELECT 1 FROM training_jobs WHERE account_id = ? AND name = ? AND arn = ?"
              " AND status NOT IN ('Completed', 'Failed', 'Stopped')");
  query.bind(1, AccountOf(db, principal));
  query.bind(2, arn.substr(arn.rfind('/') + 1));
  query.bind(3, arn);
  return query.executeStep();
}

AccessKey NewSessionKey(const std::string& principal, const std::string& session_arn, UnixMillis now,
                        int64_t lifetime_ms) {
  AccessKey key = NewKey(principal, "ASIA", now);
  key.session_token = RandomText(kBase64Digits, 160);
  key.session_arn = session_arn;
  key.expires = now + lifetime_ms;
  return key;
}

void DeleteKeysOf(Connection& db, const std::string& name) {
  Query remove(db, "DELETE FROM access_keys WHERE principal = ?");
  remove.bind(1, name);
  remove.exec();
}

}  // namespace

Result<AccessKey> Principals::Create(const std::string& name) {
  HEADRACE_TRY(CheckName(name));
  AccessKey key = NewKey(name, "AKIA", clock_.Now());
  HEADRACE_TRY(database_.Write([&](Connection& db) -> Status {
    key.account_id = AccountOf(db, name);
    if (!key.account_id.empty() && CountKeys(db, name) > 0)
      return Fail(ErrorCode::kAlreadyExists, "principal {}: exists already", name);
    if (key.account_id.empty()) {
      key.account_id = RandomDigits(12);
      InsertPrincipal(db, name, key.account_id, key.created);
    }
    InsertKey(db, key);
    return {};
  }));
  return key;
}

Result<AccessKey> Principals::Insert(AccessKey key, const std::function<Status(Connection&, AccessKey&)>& prepare) {
  HEADRACE_TRY(database_.Write([&](Connection& db) -> Status {
    if (prepare) HEADRACE_TRY(prepare(db, key));
    key.account_id = AccountOf(db, key.principal);
    if (key.account_id.empty()) return Fail(ErrorCode::kNotFound, "principal {}: does not exist", key.principal);
    Query expired(db, "DELETE FROM access_keys WHERE expires_ms > 0 AND expires_ms <= ?");
    expired.bind(1, clock_.Now());
    expired.exec();
    if (!key.session_token.empty() && CountKeys(db, key.principal) == 0)
      return Fail(ErrorCode::kFailedPrecondition, "principal {}: its keys have been revoked", key.principal);
    InsertKey(db, key);
    return {};
  }));
  return key;
}

Result<AccessKey> Principals::AddKey(const std::string& name) { return Insert(NewKey(name, "AKIA", clock_.Now())); }

Result<AccessKey> Principals::AddSessionKey(const std::string& name, const std::string& session_arn,
                                            int64_t lifetime_ms) {
  return Insert(NewSessionKey(name, session_arn, clock_.Now(), lifetime_ms));
}

Result<AccessKey> Principals::AddJobKey(const std::string& name, const std::string& session_arn,
                                        const std::string& job_arn) {
  AccessKey key = NewSessionKey(name, session_arn, clock_.Now(), 0);
  key.expires = 0;
  key.holder = job_arn;
  return Insert(std::move(key), [&](Connection& db, AccessKey&) -> Status {
    if (!HasRunningJob(db, name, job_arn))
      return Fail(ErrorCode::kFailedPrecondition, "{}: has ended, there are no keys for it", job_arn);
    EndJobKeysIn(db, job_arn);
    return {};
  });
}

Result<AccessKey> Principals::AddDerivedKey(const std::string& parent, const std::string& session_arn,
                                            int64_t lifetime_ms) {
  return Insert(NewSessionKey("", session_arn, clock_.Now(), lifetime_ms),
                [&](Connection& db, AccessKey& key) -> Status {
                  Query query(db, std::string(kSelectKey) + "WHERE k.access_key_id = ?");
                  query.bind(1, parent);
                  if (!query.executeStep())
                    return Fail(ErrorCode::kFailedPrecondition, "access key {}: does not exist any more", parent);
                  const AccessKey from = ReadKey(query);
                  key.principal = from.principal;
                  key.holder = from.holder;
                  return {};
                });
}

void Principals::EndJobKeysIn(Connection& db, const std::string& job_arn) {
  if (job_arn.empty()) return;
  Query remove(db, "DELETE FROM access_keys WHERE holder = ?");
  remove.bind(1, job_arn);
  remove.exec();
}

Result<std::vector<Principal>> Principals::List() const {
  std::vector<Principal> principals;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query query(db,
                "SELECT name, account_id, created_ms, (SELECT count(*) FROM access_keys k WHERE"
                " k.principal = name AND session_token = '') FROM principals ORDER BY name");
    while (query.executeStep()) {
      principals.push_back({query.getColumn(0).getString(), query.getColumn(1).getString(),
                            query.getColumn(2).getInt64(), query.getColumn(3).getInt()});
    }
    return {};
  }));
  return principals;
}

Result<Principal> Principals::Find(const std::string& name) const {
  HEADRACE_ASSIGN(auto principals, List());
  for (auto& principal : principals)
    if (principal.name == name) return std::move(principal);
  return Fail(ErrorCode::kNotFound, "principal {}: does not exist", name);
}

Result<AccessKey> Principals::FindKey(std::string_view access_key_id) const {
  AccessKey key;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query query(db, std::string(kSelectKey) + "WHERE k.access_key_id = ?");
    query.bind(1, std::string(access_key_id));
    if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "access key {}: does not exist", access_key_id);
    key = ReadKey(query);
    return {};
  }));
  if (key.expires != 0 && key.expires <= clock_.Now())
    return Fail(ErrorCode::kNotFound, "access key {}: has expired", access_key_id);
  return key;
}

Result<AccessKey> Principals::FirstKey(const std::string& name) const {
  AccessKey key;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query query(db, std::string(kSelectKey) +
                        "WHERE k.principal = ? AND k.session_token = ''"
                        " ORDER BY k.created_ms, k.access_key_id LIMIT 1");
    query.bind(1, name);
    if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "principal {}: has no key", name);
    key = ReadKey(query);
    return {};
  }));
  return key;
}

Status Principals::Revoke(const std::string& name) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    if (CountKeys(db, name) == 0) return Fail(ErrorCode::kNotFound, "principal {}: has no key", name);
    DeleteKeysOf(db, name);
    return {};
  });
}

Status Principals::RevokeKey(const std::string& access_key_id) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    Query query(db, "SELECT principal FROM access_keys WHERE access_key_id = ?");
    query.bind(1, access_key_id);
    if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "access key {}: does not exist", access_key_id);
    const std::string principal = query.getColumn(0).getString();
    Query remove(db, "DELETE FROM access_keys WHERE access_key_id = ?");
    remove.bind(1, access_key_id);
    remove.exec();
    if (CountKeys(db, principal) == 0) DeleteKeysOf(db, principal);
    return {};
  });
}

}  // namespace headrace::store
