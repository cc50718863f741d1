// Who may use the platform: principals, each with an account of its own, their access keys and temporary session keys.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/database.h"

namespace headrace::store {

class Connection;

struct Principal {
  std::string name;        // "default", "alice"
  std::string account_id;  // 12 digits
  UnixMillis created = 0;
  int keys = 0;  // long-lived ones; 0: revoked
};

struct AccessKey {
  std::string access_key_id;      // "AKIA…", of a session "ASIA…"
  std::string secret_access_key;  // never logged
  std::string session_token;      // empty for long-lived keys
  std::string session_arn;        // the assumed role's; empty for long-lived keys
  std::string principal, account_id;
  std::string holder;  // the ARN of the training job that the key ends with; empty: none
  UnixMillis created = 0;
  UnixMillis expires = 0;  // 0: never
};

// Thread-safe. Nothing is cached, so what another process revokes (`headrace keys revoke`) stops at once.
class Principals {
 public:
  Principals(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // A new principal with its first key; for one whose keys were all revoked, a new key to the same account.
  // kAlreadyExists when it has keys, kInvalidArgument for a name other than [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
  Result<AccessKey> Create(const std::string& name);
  // Another key, for rotation; kNotFound without the principal.
  Result<AccessKey> AddKey(const std::string& name);
  // A temporary key that stands for `name`, whose calls show `session_arn`. kFailedPrecondition when every key of
  // `name` has been revoked.
  Result<AccessKey> AddSessionKey(const std::string& name, const std::string& session_arn, int64_t lifetime_ms);
  // The same for a training job that has not ended: the key, and every key that is got with it, end with the job, and
  // the key not before, wherever the clock is set. A new key ends those that the job had before. kFailedPrecondition
  // also when the job has ended.
  Result<AccessKey> AddJobKey(const std::string& name, const std::string& session_arn, const std::string& job_arn);
  // The same for who calls with the key `parent`: what that ends with, the new one ends with.
  Result<AccessKey> AddDerivedKey(const std::string& parent, const std::string& session_arn, int64_t lifetime_ms);

  Result<std::vector<Principal>> List() const;
  Result<Principal> Find(const std::string& name) const;
  // kNotFound for unknown, revoked and expired keys.
  Result<AccessKey> FindKey(std::string_view access_key_id) const;
  // The oldest long-lived key of `name`; kNotFound.
  Result<AccessKey> FirstKey(const std::string& name) const;

  // Removes every key and session of `name`; its account, buckets and jobs stay. kNotFound without keys.
  Status Revoke(const std::string& name);
  // One key. A principal's last key takes its sessions along.
  Status RevokeKey(const std::string& access_key_id);

  // In a transaction: ends the keys of a training job, and those that were got with them.
  static void EndJobKeysIn(Connection& db, const std::string& job_arn);

 private:
  // `prepare` runs first, in the same transaction.
  Result<AccessKey> Insert(AccessKey key, const std::function<Status(Connection&, AccessKey&)>& prepare = {});

  Database& database_;
  const Clock& clock_;
};

}  // namespace headrace::store
