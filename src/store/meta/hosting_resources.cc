#include "store/meta/hosting_resources.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace headrace::store {
namespace {

constexpr const char* kHostingColumns = "sequence, account_id, name, arn, request, created_ms";

HostingResource ReadHostingResource(SQLite::Statement& row) {
  return {row.getColumn(0).getInt64(),  row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getString(), row.getColumn(4).getString(), row.getColumn(5).getInt64()};
}

}  // namespace

const char* HostingResources::Table() const { return kind_ == Kind::kModel ? "models" : "endpoint_configs"; }

Result<bool> HostingResources::InsertIn(SQLite::Database& db, HostingResource& resource) const {
  SQLite::Statement insert(db, fmt::format("INSERT INTO {} (account_id, name, arn, request, created_ms) "
                                           "VALUES (?, ?, ?, ?, ?) ON CONFLICT (account_id, name) DO NOTHING",
                                           Table()));
  insert.bind(1, resource.account_id);
  insert.bind(2, resource.name);
  insert.bind(3, resource.arn);
  insert.bind(4, resource.request);
  insert.bind(5, resource.created);
  if (insert.exec() == 0) return false;
  resource.sequence = db.getLastInsertRowid();
  return true;
}

Result<std::optional<HostingResource>> HostingResources::Find(const std::string& account_id,
                                                              const std::string& name) const {
  std::optional<HostingResource> found;
  HEADRACE_TRY(database_.Read([&](SQLite::Database& db) -> Status {
    SQLite::Statement select(
        db, fmt::format("SELECT {} FROM {} WHERE account_id = ? AND name = ?", kHostingColumns, Table()));
    select.bind(1, account_id);
    select.bind(2, name);
    if (select.executeStep()) found = ReadHostingResource(select);
    return {};
  }));
  return found;
}

Result<std::vector<HostingResource>> HostingResources::List(const ResourceFilter& filter) const {
  std::vector<HostingResource> resources;
  HEADRACE_TRY(database_.Read([&](SQLite::Database& db) -> Status {
    const ListingClause clause(filter);
    SQLite::Statement select(db, fmt::format("SELECT {} FROM {}{}", kHostingColumns, Table(), clause.sql()));
    clause.Bind(select);
    while (select.executeStep()) resources.push_back(ReadHostingResource(select));
    return {};
  }));
  return resources;
}

Result<bool> HostingResources::DeleteIn(SQLite::Database& db, const std::string& account_id,
                                        const std::string& name) const {
  SQLite::Statement statement(db, fmt::format("DELETE FROM {} WHERE account_id = ? AND name = ?", Table()));
  statement.bind(1, account_id);
  statement.bind(2, name);
  return statement.exec() > 0;
}

ResourceCursor HostingResources::CursorOf(const HostingResource& resource, ResourceOrder order) {
  return {order == ResourceOrder::kName ? resource.name : std::to_string(resource.created), resource.sequence};
}

}  // namespace headrace::store
