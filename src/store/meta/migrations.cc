#include "store/meta/migrations.h"

#include "store/meta/pack_metric_rows.h"

namespace headrace::store {
namespace {

constexpr Migration kMigrations[] = {
    {"principals", R"sql(
CREATE TABLE principals (
  name TEXT PRIMARY KEY,
  account_id TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE access_keys (
  access_key_id TEXT PRIMARY KEY,
  principal TEXT NOT NULL REFERENCES principals(name),
  secret_access_key TEXT NOT NULL,
  session_token TEXT NOT NULL DEFAULT '',
  session_arn TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
)sql"},
    {"training jobs and tags", R"sql(
CREATE TABLE training_jobs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arn TEXT NOT NULL,
  request TEXT NOT NULL,
  status TEXT NOT NULL,
  secondary_status TEXT NOT NULL,
  transitions TEXT NOT NULL,
  failure_reason TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  training_start_ms INTEGER NOT NULL,
  training_end_ms INTEGER NOT NULL,
  model_artifacts TEXT NOT NULL,
  final_metrics TEXT NOT NULL,
  state TEXT NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
CREATE INDEX training_jobs_by_time ON training_jobs (account_id, created_ms);
CREATE INDEX training_jobs_by_status ON training_jobs (status, account_id);
CREATE TABLE tags (
  account_id TEXT NOT NULL,
  arn TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account_id, arn, key)
) STRICT, WITHOUT ROWID;
)sql"},
    {"logs", R"sql(
CREATE TABLE log_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  retention_days INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, name)
) STRICT;
CREATE TABLE log_streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id INTEGER NOT NULL REFERENCES log_groups(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  first_event_ms INTEGER NOT NULL DEFAULT 0,
  last_event_ms INTEGER NOT NULL DEFAULT 0,
  last_ingestion_ms INTEGER NOT NULL DEFAULT 0,
  stored_bytes INTEGER NOT NULL DEFAULT 0,
  next_sequence INTEGER NOT NULL DEFAULT 0,
  UNIQUE (group_id, name)
) STRICT;
CREATE INDEX log_streams_by_time ON log_streams (group_id, last_event_ms, name);
CREATE TABLE log_events (
  stream_id INTEGER NOT NULL REFERENCES log_streams(id) ON DELETE CASCADE,
  timestamp_ms INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ingestion_ms INTEGER NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (stream_id, timestamp_ms, sequence)
) STRICT, WITHOUT ROWID;
)sql"},
    {"metrics", R"sql(
CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  next_sequence INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, namespace, name, dimensions)
) STRICT;
CREATE TABLE metric_dimensions (
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  series_id INTEGER NOT NULL REFERENCES metric_series(id) ON DELETE CASCADE,
  PRIMARY KEY (account_id, name, value, series_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX metric_dimensions_by_series ON metric_dimensions (series_id);
CREATE TABLE metric_samples (
  series_id INTEGER NOT NULL REFERENCES metric_series(id) ON DELETE CASCADE,
  timestamp_ms INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  sample_count REAL NOT NULL,
  sum REAL NOT NULL,
  minimum REAL NOT NULL,
  maximum REAL NOT NULL,
  unit TEXT NOT NULL,
  PRIMARY KEY (series_id, timestamp_ms, sequence)
) STRICT, WITHOUT ROWID;
)sql"},
    // `info` and `tags` are JSON written by objects.cc. A blob is a file of immutable bytes; several rows may share it.
    {"objects", R"sql(
CREATE TABLE buckets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  region TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  acl TEXT NOT NULL,
  policy TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]',
  versioning TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX buckets_by_owner ON buckets(owner, name);
CREATE TABLE objects (
  bucket INTEGER NOT NULL REFERENCES buckets(id),
  key TEXT NOT NULL,
  blob TEXT NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  modified_ms INTEGER NOT NULL,
  info TEXT NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_blob ON objects(blob);
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  bucket INTEGER NOT NULL REFERENCES buckets(id),
  key TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  initiator TEXT NOT NULL,
  info TEXT NOT NULL,
  shared_blob TEXT NOT NULL DEFAULT '',
  stride INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX uploads_by_key ON uploads(bucket, key, id);
CREATE INDEX uploads_by_shared_blob ON uploads(shared_blob);
CREATE TABLE upload_parts (
  upload TEXT NOT NULL REFERENCES uploads(id),
  number INTEGER NOT NULL,
  blob TEXT NOT NULL,
  offset INTEGER NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  modified_ms INTEGER NOT NULL,
  checksums TEXT NOT NULL,
  PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_parts_by_blob ON upload_parts(blob);
)sql"},
    {"roles", R"sql(
CREATE TABLE roles (
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  role_id TEXT NOT NULL,
  path TEXT NOT NULL,
  trust_policy TEXT NOT NULL,
  description TEXT NOT NULL,
  max_session_seconds INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE role_policies (
  account_id TEXT NOT NULL,
  role TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (account_id, role, policy_arn)
) STRICT, WITHOUT ROWID;
)sql"},
    {"hosting", R"sql(
CREATE TABLE models (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arn TEXT NOT NULL,
  request TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
CREATE TABLE endpoint_configs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arn TEXT NOT NULL,
  request TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
CREATE TABLE endpoints (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arn TEXT NOT NULL,
  config_name TEXT NOT NULL,
  status TEXT NOT NULL,
  failure_reason TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  deployment TEXT NOT NULL,
  previous TEXT NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
)sql"},
    {"transform jobs", R"sql(
CREATE TABLE transform_jobs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arn TEXT NOT NULL,
  request TEXT NOT NULL,
  status TEXT NOT NULL,
  failure_reason TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  transform_start_ms INTEGER NOT NULL,
  transform_end_ms INTEGER NOT NULL,
  deployment TEXT NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
CREATE INDEX transform_jobs_by_status ON transform_jobs (status, account_id);
)sql"},
    // `configurations` is JSON written by buckets.cc. `conflicted`: its key was deleted while the upload was under way.
    // `part_checksums`: of the bytes that completed uploads put into a blob.
    {"configurations of buckets, checksums of parts", R"sql(
ALTER TABLE buckets ADD COLUMN configurations TEXT NOT NULL DEFAULT '{}';
ALTER TABLE uploads ADD COLUMN conflicted INTEGER NOT NULL DEFAULT 0;
CREATE TABLE part_checksums (
  blob TEXT NOT NULL,
  number INTEGER NOT NULL,
  checksums TEXT NOT NULL,
  PRIMARY KEY (blob, number)
) STRICT, WITHOUT ROWID;
)sql"},
    // Every listing goes along an index in its order and reads what it filters by from the index; the rows themselves,
    // which hold whole requests, are read for the page that is shown. So is the size of a log group.
    {"listings of any length", R"sql(
DROP INDEX training_jobs_by_time;
CREATE INDEX training_jobs_by_time ON training_jobs (account_id, created_ms, sequence, name, status, modified_ms);
CREATE INDEX training_jobs_by_name ON training_jobs (account_id, name, sequence, status, created_ms, modified_ms);
CREATE INDEX training_jobs_in_status ON training_jobs (account_id, status, sequence);
CREATE INDEX transform_jobs_by_time ON transform_jobs (account_id, created_ms, sequence, name, status, modified_ms);
CREATE INDEX transform_jobs_by_name ON transform_jobs (account_id, name, sequence, status, created_ms, modified_ms);
CREATE INDEX transform_jobs_in_status ON transform_jobs (account_id, status, sequence);
CREATE INDEX transform_jobs_by_arn ON transform_jobs (account_id, arn);
CREATE INDEX endpoints_by_time ON endpoints (account_id, created_ms, sequence, name, status, modified_ms);
CREATE INDEX endpoints_by_name ON endpoints (account_id, name, sequence, status, created_ms, modified_ms);
CREATE INDEX endpoints_in_status ON endpoints (account_id, status, sequence);
CREATE INDEX endpoints_by_arn ON endpoints (account_id, arn);
CREATE INDEX models_by_time ON models (account_id, created_ms, sequence, name);
CREATE INDEX models_by_name ON models (account_id, name, sequence, created_ms);
CREATE INDEX models_by_arn ON models (account_id, arn);
CREATE INDEX endpoint_configs_by_time ON endpoint_configs (account_id, created_ms, sequence, name);
CREATE INDEX endpoint_configs_by_name ON endpoint_configs (account_id, name, sequence, created_ms);
CREATE INDEX endpoint_configs_by_arn ON endpoint_configs (account_id, arn);
CREATE INDEX metric_series_by_account ON metric_series (account_id);
DROP INDEX log_streams_by_time;
CREATE INDEX log_streams_by_time ON log_streams (group_id, last_event_ms, name, stored_bytes);
)sql"},
    // Sessions of jobs were good for thirty days until now: those of jobs that run are kept, the others end.
    {"holders of session keys", R"sql(
ALTER TABLE access_keys ADD COLUMN holder TEXT NOT NULL DEFAULT '';
UPDATE access_keys SET holder = coalesce(
    (SELECT t.arn FROM training_jobs t JOIN principals p ON p.account_id = t.account_id
     WHERE p.name = access_keys.principal AND t.status IN ('InProgress', 'Stopping')
       AND access_keys.session_arn LIKE '%/' || t.name), '')
  WHERE session_token <> '' AND expires_ms - created_ms = 2592000000;
DELETE FROM access_keys WHERE session_token <> '' AND expires_ms - created_ms = 2592000000 AND holder = '';
CREATE INDEX access_keys_by_holder ON access_keys (holder) WHERE holder <> '';
)sql"},
    // The scheduler looks only at what waits or is under way.
    {"indexes of the queue", R"sql(
CREATE INDEX training_jobs_waiting ON training_jobs (account_id) WHERE status = 'InProgress' AND state = '{}';
CREATE INDEX training_jobs_without_word ON training_jobs (sequence)
  WHERE status = 'InProgress' AND state = '{}' AND secondary_status <> 'Pending';
CREATE INDEX training_jobs_under_way ON training_jobs (sequence)
  WHERE status IN ('InProgress', 'Stopping') AND state <> '{}';
)sql"},
    // Samples were rows. `start_ms`: none of the block's is before it; `part`: of the blocks that start at one time.
    // A row fits into a page of the table, which an index's would not; the key is an index of its own for that reason.
    {"metric samples in blocks", R"sql(
CREATE TABLE metric_blocks (
  id INTEGER PRIMARY KEY,
  series_id INTEGER NOT NULL REFERENCES metric_series(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL,
  part INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX metric_blocks_in_order ON metric_blocks (series_id, start_ms, part);
ALTER TABLE metric_series RENAME COLUMN next_sequence TO samples;
)sql",
     PackMetricRows},
};

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

}  // namespace headrace::store
