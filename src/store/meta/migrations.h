// The schema's history. A landed migration is never edited: changes are new entries at the end.
#pragma once

#include <span>

#include "base/result.h"

namespace headrace::store {

class Connection;

struct Migration {
  const char* name;
  const char* sql;
  Status (*convert)(Connection&) = nullptr;  // what SQL cannot say; after `sql`
};

// In the order they apply; the database's user_version counts how many it has had.
std::span<const Migration> Migrations();

}  // namespace headrace::store
