#include "store/meta/transform_jobs.h"

#include "store/meta/connection.h"
#include "store/meta/resource_table.h"

namespace headrace::store {
namespace {

constexpr const char* kTransformJobColumns =
    "sequence, account_id, name, arn, request, status, failure_reason, created_ms, modified_ms, transform_start_ms, "
    "transform_end_ms, deployment";

TransformJob ReadTransformJob(Query& row) {
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

constexpr ResourceTable<TransformJob> kTransformJobs{"transform_jobs", kTransformJobColumns, ReadTransformJob};

}  // namespace

Result<bool> TransformJobs::InsertIn(Connection& db, TransformJob& job) {
  Query insert(
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
  return kTransformJobs.Find(database_, account_id, name);
}

Result<std::optional<TransformJob>> TransformJobs::FindIn(Connection& db, const std::string& account_id,
                                                          const std::string& name) {
  return kTransformJobs.Find(db, account_id, name);
}

Result<std::vector<TransformJob>> TransformJobs::List(const ResourceFilter& filter) {
  return kTransformJobs.List(database_, filter);
}

Result<std::vector<TransformJob>> TransformJobs::ListIn(Connection& db, const ResourceFilter& filter) {
  return kTransformJobs.List(db, filter);
}

Result<TransformJob> TransformJobs::Update(const std::string& account_id, const std::string& name,
                                           const Change& change) {
  TransformJob job;
  HEADRACE_TRY(database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    HEADRACE_ASSIGN(auto found, FindIn(db, account_id, name));
    if (!found)
      return Fail(ErrorCode::kNotFound, "transform job {}: account {} has none of that name", name, account_id);
    HEADRACE_TRY(change(*found));
    Query update(db,
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
