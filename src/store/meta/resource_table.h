// ResourceTable: how the rows of a table of named resources (resource_listing.h) are found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/meta/connection.h"
#include "store/meta/database.h"
#include "store/meta/resource_listing.h"

namespace headrace::store {

template <typename Row>
struct ResourceTable {
  const char* name;
  const char* columns;  // what `read` takes, in its order
  Row (*read)(Query& row);

  // In a transaction.
  Result<std::optional<Row>> Find(Connection& db, const std::string& account_id, const std::string& row) const {
    Query select(db, fmt::format("SELECT {} FROM {} WHERE account_id = ? AND name = ?", columns, name));
    select.bind(1, account_id);
    select.bind(2, row);
    if (!select.executeStep()) return std::optional<Row>();
    return std::optional<Row>(read(select));
  }
  Result<std::vector<Row>> List(Connection& db, const ResourceFilter& filter) const {
    std::vector<Row> rows;
    const ListingClause clause(filter);
    Query select(db, fmt::format("SELECT {} FROM {}{}", columns, name, clause.sql()));
    clause.Bind(select);
    while (select.executeStep()) rows.push_back(read(select));
    return rows;
  }

  // By themselves.
  Result<std::optional<Row>> Find(Database& database, const std::string& account_id, const std::string& row) const {
    std::optional<Row> found;
    HEADRACE_TRY(database.Read([&](Connection& db) -> Status {
      HEADRACE_ASSIGN(found, Find(db, account_id, row));
      return {};
    }));
    return found;
  }
  Result<std::vector<Row>> List(Database& database, const ResourceFilter& filter) const {
    std::vector<Row> rows;
    HEADRACE_TRY(database.Read([&](Connection& db) -> Status {
      HEADRACE_ASSIGN(rows, List(db, filter));
      return {};
    }));
    return rows;
  }
};

}  // namespace headrace::store
