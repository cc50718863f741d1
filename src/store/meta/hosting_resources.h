// Models and endpoint configurations: named requests that never change. Each kind has a table of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/meta/database.h"
#include "store/meta/resource_listing.h"

namespace headrace::store {

struct HostingResource {
  int64_t sequence = 0;  // order of creation; set by InsertIn
  std::string account_id, name, arn;
  std::string request = "{}";  // the creating call's input as JSON, echoed when it is described
  UnixMillis created = 0;
};

class HostingResources {
 public:
  enum class Kind { kModel, kEndpointConfig };

  HostingResources(Database& database, Kind kind) : database_(database), kind_(kind) {}

  // False, and nothing changed, when the account has one of that name.
  Result<bool> InsertIn(Connection& db, HostingResource& resource) const;
  Result<std::optional<HostingResource>> Find(const std::string& account_id, const std::string& name) const;
  Result<std::vector<HostingResource>> List(const ResourceFilter& filter) const;
  // True when there was one.
  Result<bool> DeleteIn(Connection& db, const std::string& account_id, const std::string& name) const;

 private:
  Database& database_;
  const Kind kind_;
};

}  // namespace headrace::store
