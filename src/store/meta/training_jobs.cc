#include "store/meta/training_jobs.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "store/meta/connection.h"
#include "store/meta/principals.h"
#include "store/meta/resource_table.h"

namespace headrace::store {
namespace {

using Json = nlohmann::json;

constexpr const char* kColumns =
    "sequence, account_id, name, arn, request, status, secondary_status, transitions, failure_reason, created_ms, "
    "modified_ms, training_start_ms, training_end_ms, model_artifacts, final_metrics, state";

// Texts from programs may hold broken UTF-8; it must not make a job unreadable.
std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string TransitionsText(const TrainingJob& job) {
  Json list = Json::array();
  for (const auto& transition : job.transitions) {
    list.push_back({transition.status, transition.start, transition.end, transition.message});
  }
  return Dump(list);
}

std::string FinalMetricsText(const TrainingJob& job) {
  Json list = Json::array();
  for (const auto& metric : job.final_metrics) list.push_back({metric.name, metric.value, metric.time});
  return Dump(list);
}

TrainingJob FromRow(Query& row) {
  TrainingJob job;
  job.sequence = row.getColumn(0).getInt64();
  job.account_id = row.getColumn(1).getString();
  job.name = row.getColumn(2).getString();
  job.arn = row.getColumn(3).getString();
  job.request = row.getColumn(4).getString();
  job.status = row.getColumn(5).getString();
  job.secondary_status = row.getColumn(6).getString();
  for (const auto& item : Json::parse(row.getColumn(7).getString())) {
    job.transitions.push_back({item[0], item[1], item[2], item[3]});
  }
  job.failure_reason = row.getColumn(8).getString();
  job.created = row.getColumn(9).getInt64();
  job.modified = row.getColumn(10).getInt64();
  job.training_start = row.getColumn(11).getInt64();
  job.training_end = row.getColumn(12).getInt64();
  job.model_artifacts = row.getColumn(13).getString();
  for (const auto& item : Json::parse(row.getColumn(14).getString())) {
    job.final_metrics.push_back({item[0], item[1].is_number() ? item[1].get<double>() : std::nan(""), item[2]});
  }
  job.state = row.getColumn(15).getString();
  return job;
}

// Binds what an update may change, from parameter `first` on.
void BindChangeable(Query& statement, int first, const TrainingJob& job) {
  statement.bind(first + 0, job.request);
  statement.bind(first + 1, job.status);
  statement.bind(first + 2, job.secondary_status);
  statement.bind(first + 3, TransitionsText(job));
  statement.bind(first + 4, job.failure_reason);
  statement.bind(first + 5, job.modified);
  statement.bind(first + 6, job.training_start);
  statement.bind(first + 7, job.training_end);
  statement.bind(first + 8, job.model_artifacts);
  statement.bind(first + 9, FinalMetricsText(job));
  statement.bind(first + 10, job.state);
}

Result<std::vector<TrainingJobs::Waiting>> ReadWaiting(Database& database, const char* sql,
                                                       std::optional<int64_t> parameter) {
  std::vector<TrainingJobs::Waiting> waiting;
  HEADRACE_TRY(database.Read([&](Connection& db) -> Status {
    Query select(db, sql);
    if (parameter) select.bind(1, *parameter);
    while (select.executeStep())
      waiting.push_back(
          {select.getColumn(0).getString(), select.getColumn(1).getString(), select.getColumn(2).getInt64()});
    return {};
  }));
  return waiting;
}

constexpr ResourceTable<TrainingJob> kTrainingJobs{"training_jobs", kColumns, FromRow};

}  // namespace

Result<bool> TrainingJobs::Insert(TrainingJob& job) {
  bool inserted = false;
  HEADRACE_TRY(database_.Write([&](Connection& db) -> Status {
    HEADRACE_ASSIGN(inserted, InsertIn(db, job));
    return {};
  }));
  return inserted;
}

Result<bool> TrainingJobs::InsertIn(Connection& db, TrainingJob& job) {
  Query insert(
      db,
      "INSERT INTO training_jobs (account_id, name, arn, created_ms, request, status, secondary_status, transitions, "
      "failure_reason, modified_ms, training_start_ms, training_end_ms, model_artifacts, final_metrics, state) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, name) DO NOTHING");
  insert.bind(1, job.account_id);
  insert.bind(2, job.name);
  insert.bind(3, job.arn);
  insert.bind(4, job.created);
  BindChangeable(insert, 5, job);
  if (insert.exec() == 0) return false;
  job.sequence = db.getLastInsertRowid();
  return true;
}

Result<std::optional<TrainingJob>> TrainingJobs::Find(const std::string& account_id, const std::string& name) {
  return kTrainingJobs.Find(database_, account_id, name);
}

Result<std::optional<TrainingJob>> TrainingJobs::FindIn(Connection& db, const std::string& account_id,
                                                        const std::string& name) {
  return kTrainingJobs.Find(db, account_id, name);
}

Result<std::vector<TrainingJob>> TrainingJobs::List(const ResourceFilter& filter) {
  return kTrainingJobs.List(database_, filter);
}

// The conditions are those of the partial indexes, word for word; SQLite refuses the statements without the indexes.
Result<std::vector<TrainingJobs::Waiting>> TrainingJobs::FirstWaitingOfEachAccount() {
  return ReadWaiting(database_, R"sql(
WITH RECURSIVE accounts(id) AS (
  SELECT min(account_id) FROM training_jobs INDEXED BY training_jobs_waiting WHERE status = 'InProgress' AND state = '{}'
  UNION ALL
  SELECT (SELECT min(account_id) FROM training_jobs INDEXED BY training_jobs_waiting WHERE status = 'InProgress' AND state = '{}' AND
    account_id > id)
  FROM accounts WHERE id IS NOT NULL)
SELECT account_id, name, sequence FROM accounts JOIN training_jobs ON sequence =
  (SELECT min(sequence) FROM training_jobs INDEXED BY training_jobs_waiting WHERE status = 'InProgress' AND state = '{}' AND
    account_id = id))sql",
                     std::nullopt);
}

Result<std::vector<TrainingJobs::Waiting>> TrainingJobs::WaitingWithoutWord(size_t limit) {
  return ReadWaiting(
      database_,
      "SELECT account_id, name, sequence FROM training_jobs INDEXED BY training_jobs_without_word "
      "WHERE status = 'InProgress' AND state = '{}' AND secondary_status <> 'Pending' ORDER BY sequence LIMIT ?",
      static_cast<int64_t>(limit));
}

Result<std::vector<TrainingJob>> TrainingJobs::UnderWay() {
  std::vector<TrainingJob> jobs;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db, fmt::format("SELECT {} FROM training_jobs INDEXED BY training_jobs_under_way WHERE status IN "
                                 "('InProgress', 'Stopping') AND "
                                 "state <> '{{}}' ORDER BY sequence",
                                 kColumns));
    while (select.executeStep()) jobs.push_back(FromRow(select));
    return {};
  }));
  return jobs;
}

Result<TrainingJob> TrainingJobs::Update(const std::string& account_id, const std::string& name, const Change& change) {
  TrainingJob job;
  HEADRACE_TRY(database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    HEADRACE_ASSIGN(job, UpdateIn(db, account_id, name, change));
    return {};
  }));
  return job;
}

Result<TrainingJob> TrainingJobs::UpdateIn(Connection& db, const std::string& account_id, const std::string& name,
                                           const Change& change) {
  HEADRACE_ASSIGN(auto found, FindIn(db, account_id, name));
  if (!found) return Fail(ErrorCode::kNotFound, "training job {}: account {} has none of that name", name, account_id);
  HEADRACE_TRY(change(*found));
  Query update(
      db,
      "UPDATE training_jobs SET request = ?, status = ?, secondary_status = ?, transitions = ?, failure_reason = ?, "
      "modified_ms = ?, training_start_ms = ?, training_end_ms = ?, model_artifacts = ?, final_metrics = ?, state = ? "
      "WHERE sequence = ?");
  BindChangeable(update, 1, *found);
  update.bind(12, found->sequence);
  update.exec();
  if (IsTerminal(found->status)) Principals::EndJobKeysIn(db, found->arn);
  return std::move(*found);
}

Result<bool> TrainingJobs::Delete(const std::string& account_id, const std::string& name) {
  bool deleted = false;
  HEADRACE_TRY(database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    HEADRACE_ASSIGN(deleted, DeleteIn(db, account_id, name));
    return {};
  }));
  return deleted;
}

Result<bool> TrainingJobs::DeleteIn(Connection& db, const std::string& account_id, const std::string& name) {
  HEADRACE_ASSIGN(const auto found, FindIn(db, account_id, name));
  if (found) Principals::EndJobKeysIn(db, found->arn);
  Query statement(db, "DELETE FROM training_jobs WHERE account_id = ? AND name = ?");
  statement.bind(1, account_id);
  statement.bind(2, name);
  return statement.exec() > 0;
}

}  // namespace headrace::store
