#include "store/meta/transform_jobs.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace headrace::store {
namespace {

constexpr const char* kTransformJobColumns =
    "sequence, account_id, name, arn, request, status, failure_reason, created_ms, modified_ms, transform_start_ms, "
    "transform_end_ms, deployment";

TransformJob ReadTransformJob(SQLite::Statement& row) {
  TransformJob job;
  job.sequence = row.getColumn(0).getInt64();
  job.account_id = row.getColumn(1).getString();
  job.name = row.getColumn(2).getString();
  job.arn = row.getColumn(3).getString();
  job.request = row.getColumn(4).getString();
  job.status = row.getColumn(5).getString();
  job.failure_reason = row.getColumn(6).getString();
  job.created = row.getColumn(7).getInt64();
  job.modified = row.getColumn(8).getInt64();
  job.transform_start = row.getColumn(9).getInt64();
  job.transform_end = row.getColumn(10).getInt64();
  job.deployment = row.getColumn(11).getString();
  return job;
}

}  // namespace

Result<bool> TransformJobs::InsertIn(SQLite::Database& db, TransformJob& job) {
  SQLite::Statement insert(
      db,
      "INSERT INTO transform_jobs (account_id, name, arn, request, status, failure_reason, created_ms, modified_ms, "
      "transform_start_ms, transform_end_ms, deployment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (account_id, name) DO NOTHING");
  insert.bind(1, job.account_id);
  insert.bind(2, job.name);
  insert.bind(3, job.arn);
  insert.bind(4, job.request);
  insert.bind(5, job.status);
  insert.bind(6, job.failure_reason);
  insert.bind(7, job.created);
  insert.bind(8, job.modified);
  insert.bind(9, job.transform_start);
  insert.bind(10, job.transform_end);
  insert.bind(11, job.deployment);
  if (insert.exec() == 0) return false;
  job.sequence = db.getLastInsertRowid();
  return true;
}

Result<std::optional<TransformJob>> TransformJobs::Find(const std::string& account_id, const std::string& name) {
  std::optional<TransformJob> job;
  HEADRACE_TRY(database_.Read([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(job, FindIn(db, account_id, name));
    return {};
  }));
  return job;
}

Result<std::optional<TransformJob>> TransformJobs::FindIn(SQLite::Database& db, const std::string& account_id,
                                                          const std::string& name) {
  SQLite::Statement select(
      db, fmt::format("SELECT {} FROM transform_jobs WHERE account_id = ? AND name = ?", kTransformJobColumns));
  select.bind(1, account_id);
  select.bind(2, name);
  if (!select.executeStep()) return std::optional<TransformJob>();
  return std::optional<TransformJob>(ReadTransformJob(select));
}

Result<std::vector<TransformJob>> TransformJobs::List(const ResourceFilter& filter) {
  std::vector<TransformJob> jobs;
  HEADRACE_TRY(database_.Read([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(jobs, ListIn(db, filter));
    return {};
  }));
  return jobs;
}

Result<std::vector<TransformJob>> TransformJobs::ListIn(SQLite::Database& db, const ResourceFilter& filter) {
  std::vector<TransformJob> jobs;
  const ListingClause clause(filter);
  SQLite::Statement select(db, fmt::format("SELECT {} FROM transform_jobs{}", kTransformJobColumns, clause.sql()));
  clause.Bind(select);
  while (select.executeStep()) jobs.push_back(ReadTransformJob(select));
  return jobs;
}

ResourceCursor TransformJobs::CursorOf(const TransformJob& job, ResourceOrder order) {
  switch (order) {
    case ResourceOrder::kName:
      return {job.name, job.sequence};
    case ResourceOrder::kStatus:
      return {job.status, job.sequence};
    case ResourceOrder::kCreationTime:
      break;
  }
  return {std::to_string(job.created), job.sequence};
}

Result<TransformJob> TransformJobs::Update(const std::string& account_id, const std::string& name,
                                           const Change& change) {
  TransformJob job;
  HEADRACE_TRY(database_.Write([&](SQLite::Database& db) -> Status {
    HEADRACE_ASSIGN(auto found, FindIn(db, account_id, name));
    if (!found)
      return Fail(ErrorCode::kNotFound, "transform job {}: account {} has none of that name", name, account_id);
    HEADRACE_TRY(change(*found));
    SQLite::Statement update(db,
                             "UPDATE transform_jobs SET status = ?, failure_reason = ?, modified_ms = ?, "
                             "transform_start_ms = ?, transform_end_ms = ? WHERE sequence = ?");
    update.bind(1, found->status);
    update.bind(2, found->failure_reason);
    update.bind(3, found->modified);
    update.bind(4, found->transform_start);
    update.bind(5, found->transform_end);
    update.bind(6, found->sequence);
    update.exec();
    job = std::move(*found);
    return {};
  }));
  return job;
}

}  // namespace headrace::store
