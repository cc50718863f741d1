#include "store/meta/migrations.h"

namespace headrace::store {
namespace {

constexpr Migration kMigrations[] = {
    {"principals", R"sql(
CREATE TABLE principals (
  name TEXT PRIMARY KEY,
  account_id TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE access_keys (
  access_key_id TEXT PRIMARY KEY,
  principal TEXT NOT NULL REFERENCES principals(name),
  secret_access_key TEXT NOT NULL,
  session_token TEXT NOT NULL DEFAULT '',
  session_arn TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
)sql"},
};

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

}  // namespace headrace::store
