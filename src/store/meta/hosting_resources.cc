#include "store/meta/hosting_resources.h"

#include "store/meta/connection.h"
#include "store/meta/resource_table.h"

namespace headrace::store {
namespace {

constexpr const char* kHostingColumns = "sequence, account_id, name, arn, request, created_ms";

HostingResource ReadHostingResource(Query& row) {
  return {row.getColumn(0).getInt64(),  row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getString(), row.getColumn(4).getString(), row.getColumn(5).getInt64()};
}

ResourceTable<HostingResource> TableOf(HostingResources::Kind kind) {
  return {kind == HostingResources::Kind::kModel ? "models" : "endpoint_configs", kHostingColumns, ReadHostingResource};
}

}  // namespace

Result<bool> HostingResources::InsertIn(Connection& db, HostingResource& resource) const {
  Query insert(db, fmt::format("INSERT INTO {} (account_id, name, arn, request, created_ms) "
                               "VALUES (?, ?, ?, ?, ?) ON CONFLICT (account_id, name) DO NOTHING",
                               TableOf(kind_).name));
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
  return TableOf(kind_).Find(database_, account_id, name);
}

Result<std::vector<HostingResource>> HostingResources::List(const ResourceFilter& filter) const {
  return TableOf(kind_).List(database_, filter);
}

Result<bool> HostingResources::DeleteIn(Connection& db, const std::string& account_id, const std::string& name) const {
  Query statement(db, fmt::format("DELETE FROM {} WHERE account_id = ? AND name = ?", TableOf(kind_).name));
  statement.bind(1, account_id);
  statement.bind(2, name);
  return statement.exec() > 0;
}

}  // namespace headrace::store
