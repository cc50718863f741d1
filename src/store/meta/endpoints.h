// The table of endpoints. An endpoint keeps a copy of all that it serves, so its configuration and models may go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/meta/database.h"
#include "store/meta/resource_listing.h"

namespace headrace::store {

struct Endpoint {
  int64_t sequence = 0;  // order of creation; set by InsertIn
  std::string account_id, name, arn;
  std::string config_name;
  std::string status = "Creating";  // Creating, InService, Updating, Failed, Deleting
  std::string failure_reason;
  UnixMillis created = 0, modified = 0;
  // What is wanted, as JSON (jobs/hosting/deployment.h), and what serves until that is ready: "" when they are one.
  std::string deployment = "{}", previous;
};

class Endpoints {
 public:
  explicit Endpoints(Database& database) : database_(database) {}

  // False, and nothing changed, when the account has one of that name.
  static Result<bool> InsertIn(Connection& db, Endpoint& endpoint);
  Result<std::optional<Endpoint>> Find(const std::string& account_id, const std::string& name);
  static Result<std::optional<Endpoint>> FindIn(Connection& db, const std::string& account_id, const std::string& name);
  Result<std::vector<Endpoint>> List(const ResourceFilter& filter);

  // Reads the endpoint, lets `change` edit it and writes it back, in one transaction; returns what was written.
  // kNotFound without such an endpoint; an error of `change` leaves it as it was.
  using Change = std::function<Status(Endpoint&)>;
  Result<Endpoint> Update(const std::string& account_id, const std::string& name, const Change& change);
  // The row and the endpoint's tags.
  Status Delete(const Endpoint& endpoint);

 private:
  Database& database_;
};

}  // namespace headrace::store
