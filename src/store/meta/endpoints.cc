#include "store/meta/endpoints.h"

#include "store/meta/connection.h"
#include "store/meta/resource_table.h"
#include "store/meta/tags.h"

namespace headrace::store {
namespace {

constexpr const char* kEndpointColumns =
    "sequence, account_id, name, arn, config_name, status, failure_reason, created_ms, modified_ms, deployment, "
    "previous";

Endpoint ReadEndpoint(Query& row) {
  Endpoint endpoint;
  endpoint.sequence = row.getColumn(0).getInt64();
  endpoint.account_id = row.getColumn(1).getString();
  endpoint.name = row.getColumn(2).getString();
  endpoint.arn = row.getColumn(3).getString();
  endpoint.config_name = row.getColumn(4).getString();
  endpoint.status = row.getColumn(5).getString();
  endpoint.failure_reason = row.getColumn(6).getString();
  endpoint.created = row.getColumn(7).getInt64();
  endpoint.modified = row.getColumn(8).getInt64();
  endpoint.deployment = row.getColumn(9).getString();
  endpoint.previous = row.getColumn(10).getString();
  return endpoint;
}

constexpr ResourceTable<Endpoint> kEndpoints{"endpoints", kEndpointColumns, ReadEndpoint};

}  // namespace

Result<bool> Endpoints::InsertIn(Connection& db, Endpoint& endpoint) {
  Query insert(db,
               "INSERT INTO endpoints (account_id, name, arn, config_name, status, failure_reason, "
               "created_ms, modified_ms, deployment, previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
               "ON CONFLICT (account_id, name) DO NOTHING");
  insert.bind(1, endpoint.account_id);
  insert.bind(2, endpoint.name);
  insert.bind(3, endpoint.arn);
  insert.bind(4, endpoint.config_name);
  insert.bind(5, endpoint.status);
  insert.bind(6, endpoint.failure_reason);
  insert.bind(7, endpoint.created);
  insert.bind(8, endpoint.modified);
  insert.bind(9, endpoint.deployment);
  insert.bind(10, endpoint.previous);
  if (insert.exec() == 0) return false;
  endpoint.sequence = db.getLastInsertRowid();
  return true;
}

Result<std::optional<Endpoint>> Endpoints::Find(const std::string& account_id, const std::string& name) {
  return kEndpoints.Find(database_, account_id, name);
}

Result<std::optional<Endpoint>> Endpoints::FindIn(Connection& db, const std::string& account_id,
                                                  const std::string& name) {
  return kEndpoints.Find(db, account_id, name);
}

Result<std::vector<Endpoint>> Endpoints::List(const ResourceFilter& filter) {
  return kEndpoints.List(database_, filter);
}

Result<Endpoint> Endpoints::Update(const std::string& account_id, const std::string& name, const Change& change) {
  Endpoint endpoint;
  HEADRACE_TRY(database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    HEADRACE_ASSIGN(auto found, FindIn(db, account_id, name));
    if (!found) return Fail(ErrorCode::kNotFound, "endpoint {}: account {} has none of that name", name, account_id);
    HEADRACE_TRY(change(*found));
    Query update(db,
                 "UPDATE endpoints SET config_name = ?, status = ?, failure_reason = ?, modified_ms = ?, "
                 "deployment = ?, previous = ? WHERE sequence = ?");
    update.bind(1, found->config_name);
    update.bind(2, found->status);
    update.bind(3, found->failure_reason);
    update.bind(4, found->modified);
    update.bind(5, found->deployment);
    update.bind(6, found->previous);
    update.bind(7, found->sequence);
    update.exec();
    endpoint = std::move(*found);
    return {};
  }));
  return endpoint;
}

Status Endpoints::Delete(const Endpoint& endpoint) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    Query remove(db, "DELETE FROM endpoints WHERE sequence = ?");
    remove.bind(1, endpoint.sequence);
    remove.exec();
    return Tags::RemoveAllIn(db, endpoint.account_id, endpoint.arn);
  });
}

}  // namespace headrace::store
