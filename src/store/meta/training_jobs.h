// The table of training jobs. The ...In functions run inside a caller's Database::Write or Read, so that a status, its
// log events, its metric samples and the offset they were read from become visible together or not at all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/meta/database.h"
#include "store/meta/resource_listing.h"
#include "store/meta/training_job.h"

namespace headrace::store {

class TrainingJobs {
 public:
  explicit TrainingJobs(Database& database) : database_(database) {}

  // False, and nothing changed, when the account has a job of that name. Sets job.sequence.
  Result<bool> Insert(TrainingJob& job);
  static Result<bool> InsertIn(Connection& db, TrainingJob& job);

  Result<std::optional<TrainingJob>> Find(const std::string& account_id, const std::string& name);
  static Result<std::optional<TrainingJob>> FindIn(Connection& db, const std::string& account_id,
                                                   const std::string& name);

  Result<std::vector<TrainingJob>> List(const ResourceFilter& filter);

  // For the scheduler. A job waits from its creation until something is in its `state`. None of these goes through
  // jobs that have ended, or through a whole queue.
  struct Waiting {
    std::string account_id, name;
    int64_t sequence = 0;
  };
  Result<std::vector<Waiting>> FirstWaitingOfEachAccount();
  // Those that have not been told so, the first `limit` of them.
  Result<std::vector<Waiting>> WaitingWithoutWord(size_t limit);
  // InProgress or Stopping, and no longer waiting.
  Result<std::vector<TrainingJob>> UnderWay();

  // Reads the job, lets `change` edit it and writes it back, in one transaction; returns what was written. kNotFound
  // without such a job; an error of `change` leaves the job as it was.
  using Change = std::function<Status(TrainingJob&)>;
  Result<TrainingJob> Update(const std::string& account_id, const std::string& name, const Change& change);
  static Result<TrainingJob> UpdateIn(Connection& db, const std::string& account_id, const std::string& name,
                                      const Change& change);

  // True when there was one.
  Result<bool> Delete(const std::string& account_id, const std::string& name);
  static Result<bool> DeleteIn(Connection& db, const std::string& account_id, const std::string& name);

 private:
  Database& database_;
};

}  // namespace headrace::store
