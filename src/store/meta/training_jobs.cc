#include "store/meta/training_jobs.h"

#include <cmath>

#include <SQLiteCpp/SQLiteCpp.h>
#include <nlohmann/json.hpp>

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

TrainingJob FromRow(SQLite::Statement& row) {
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
void BindChangeable(SQLite::Statement& statement, int first, const TrainingJob& job) {
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

const char* OrderColumn(TrainingJobOrder order) {
  switch (order) {
    case TrainingJobOrder::kName:
      return "name";
    case TrainingJobOrder::kStatus:
      return "status";
    case TrainingJobOrder::kCreationTime:
      break;
  }
  return "created_ms";
}

// The conditions of a listing with their values, in order.
class Conditions {
 public:
  void Add(const std::string& sql, std::string value) { Push(sql, Value{std::move(value), 0, false}); }
  void Add(const std::string& sql, int64_t value) { Push(sql, Value{{}, value, true}); }
  void AddBare(const std::string& sql) { sql_ += (sql_.empty() ? " WHERE " : " AND ") + sql; }
  void AddValue(std::string value) { values_.push_back(Value{std::move(value), 0, false}); }
  void AddValue(int64_t value) { values_.push_back(Value{{}, value, true}); }
  const std::string& sql() const { return sql_; }
  int Bind(SQLite::Statement& statement) const {
    int index = 0;
    for (const auto& value : values_) {
      ++index;
      value.is_number ? statement.bind(index, value.number) : statement.bind(index, value.text);
    }
    return index;
  }

 private:
  struct Value {
    std::string text;
    int64_t number;
    bool is_number;
  };
  void Push(const std::string& sql, Value value) {
    AddBare(sql);
    values_.push_back(std::move(value));
  }
  std::string sql_;
  std::vector<Value> values_;
};

Conditions ConditionsOf(const TrainingJobFilter& filter) {
  Conditions where;
  if (filter.account_id) where.Add("account_id = ?", *filter.account_id);
  if (!filter.name_contains.empty()) where.Add("instr(name, ?) > 0", filter.name_contains);
  if (!filter.statuses.empty()) {
    std::string marks;
    for (size_t i = 0; i < filter.statuses.size(); ++i) marks += i == 0 ? "?" : ", ?";
    where.AddBare("status IN (" + marks + ")");
    for (const auto& status : filter.statuses) where.AddValue(status);
  }
  if (filter.created_after) where.Add("created_ms >= ?", *filter.created_after);
  if (filter.created_before) where.Add("created_ms <= ?", *filter.created_before);
  if (filter.modified_after) where.Add("modified_ms >= ?", *filter.modified_after);
  if (filter.modified_before) where.Add("modified_ms <= ?", *filter.modified_before);
  if (filter.after) {
    const char* direction = filter.descending ? "<" : ">";
    where.AddBare(fmt::format("({}, sequence) {} (?, ?)", OrderColumn(filter.order), direction));
    if (filter.order == TrainingJobOrder::kCreationTime) {
      where.AddValue(static_cast<int64_t>(std::strtoll(filter.after->key.c_str(), nullptr, 10)));
    } else {
      where.AddValue(filter.after->key);
    }
    where.AddValue(filter.after->sequence);
  }
  return where;
}

}  // namespace

Result<bool> TrainingJobs::Insert(TrainingJob& job) {
  bool inserted = false;
  HEADRACE_TRY(database_.Write([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(inserted, InsertIn(db, job));
    return {};
  }));
  return inserted;
}

Result<bool> TrainingJobs::InsertIn(SQLite::Database& db, TrainingJob& job) {
  SQLite::Statement insert(
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
  std::optional<TrainingJob> job;
  HEADRACE_TRY(database_.Read([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(job, FindIn(db, account_id, name));
    return {};
  }));
  return job;
}

Result<std::optional<TrainingJob>> TrainingJobs::FindIn(SQLite::Database& db, const std::string& account_id,
                                                        const std::string& name) {
  SQLite::Statement select(db, fmt::format("SELECT {} FROM training_jobs WHERE account_id = ? AND name = ?", kColumns));
  select.bind(1, account_id);
  select.bind(2, name);
  if (!select.executeStep()) return std::optional<TrainingJob>();
  return std::optional<TrainingJob>(FromRow(select));
}

Result<std::vector<TrainingJob>> TrainingJobs::List(const TrainingJobFilter& filter) {
  std::vector<TrainingJob> jobs;
  HEADRACE_TRY(database_.Read([&](SQLite::Database& db) -> Status {
    const Conditions where = ConditionsOf(filter);
    const char* direction = filter.descending ? "DESC" : "ASC";
    SQLite::Statement select(db, fmt::format("SELECT {} FROM training_jobs{} ORDER BY {} {}, sequence {} LIMIT ?",
                                             kColumns, where.sql(), OrderColumn(filter.order), direction, direction));
    const int bound = where.Bind(select);
    select.bind(bound + 1, filter.limit == 0 ? int64_t{-1} : static_cast<int64_t>(filter.limit));
    while (select.executeStep()) jobs.push_back(FromRow(select));
    return {};
  }));
  return jobs;
}

TrainingJobCursor TrainingJobs::CursorOf(const TrainingJob& job, TrainingJobOrder order) {
  switch (order) {
    case TrainingJobOrder::kName:
      return {job.name, job.sequence};
    case TrainingJobOrder::kStatus:
      return {job.status, job.sequence};
    case TrainingJobOrder::kCreationTime:
      break;
  }
  return {std::to_string(job.created), job.sequence};
}

Result<TrainingJob> TrainingJobs::Update(const std::string& account_id, const std::string& name, const Change& change) {
  TrainingJob job;
  HEADRACE_TRY(database_.Write([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(job, UpdateIn(db, account_id, name, change));
    return {};
  }));
  return job;
}

Result<TrainingJob> TrainingJobs::UpdateIn(SQLite::Database& db, const std::string& account_id, const std::string& name,
                                           const Change& change) {
  HEADRACE_ASSIGN(auto found, FindIn(db, account_id, name));
  if (!found) return Fail(ErrorCode::kNotFound, "training job {}: account {} has none of that name", name, account_id);
  HEADRACE_TRY(change(*found));
  SQLite::Statement update(
      db,
      "UPDATE training_jobs SET request = ?, status = ?, secondary_status = ?, transitions = ?, failure_reason = ?, "
      "modified_ms = ?, training_start_ms = ?, training_end_ms = ?, model_artifacts = ?, final_metrics = ?, state = ? "
      "WHERE sequence = ?");
  BindChangeable(update, 1, *found);
  update.bind(12, found->sequence);
  update.exec();
  return std::move(*found);
}

Result<bool> TrainingJobs::Delete(const std::string& account_id, const std::string& name) {
  bool deleted = false;
  HEADRACE_TRY(database_.Write([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(deleted, DeleteIn(db, account_id, name));
    return {};
  }));
  return deleted;
}

Result<bool> TrainingJobs::DeleteIn(SQLite::Database& db, const std::string& account_id, const std::string& name) {
  SQLite::Statement statement(db, "DELETE FROM training_jobs WHERE account_id = ? AND name = ?");
  statement.bind(1, account_id);
  statement.bind(2, name);
  return statement.exec() > 0;
}

}  // namespace headrace::store
