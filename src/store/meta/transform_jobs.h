// The table of batch transform jobs. A job keeps a copy of the model it uses, so the model may go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/meta/database.h"
#include "store/meta/resource_listing.h"

namespace headrace::store {

struct TransformJob {
  int64_t sequence = 0;  // order of creation; set by InsertIn
  std::string account_id, name, arn;
  std::string request = "{}";         // CreateTransformJob's input as JSON, echoed by DescribeTransformJob
  std::string status = "InProgress";  // InProgress, Completed, Failed, Stopping, Stopped
  std::string failure_reason;         // at most 1024 bytes when it is shown
  UnixMillis created = 0, modified = 0;
  UnixMillis transform_start = 0, transform_end = 0;  // 0: not yet
  std::string deployment = "{}";                      // the model and its instances (jobs/hosting/deployment.h)
};

class TransformJobs {
 public:
  explicit TransformJobs(Database& database) : database_(database) {}

  // False, and nothing changed, when the account has one of that name.
  static Result<bool> InsertIn(Connection& db, TransformJob& job);
  Result<std::optional<TransformJob>> Find(const std::string& account_id, const std::string& name);
  static Result<std::optional<TransformJob>> FindIn(Connection& db, const std::string& account_id,
                                                    const std::string& name);
  Result<std::vector<TransformJob>> List(const ResourceFilter& filter);
  static Result<std::vector<TransformJob>> ListIn(Connection& db, const ResourceFilter& filter);

  // Reads the job, lets `change` edit it and writes it back, in one transaction; returns what was written. kNotFound
  // without such a job; an error of `change` leaves it as it was.
  using Change = std::function<Status(TransformJob&)>;
  Result<TransformJob> Update(const std::string& account_id, const std::string& name, const Change& change);

 private:
  Database& database_;
};

}  // namespace headrace::store
