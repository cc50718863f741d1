#include "store/meta/buckets.h"

#include <nlohmann/json.hpp>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

constexpr char kSelect[] =
    "SELECT id, name, owner, region, created_ms, acl, policy, tags, versioning FROM buckets WHERE ";

Bucket ReadBucket(Query& row) {
  Bucket bucket;
  bucket.id = row.getColumn(0).getInt64();
  bucket.name = row.getColumn(1).getString();
  bucket.owner = row.getColumn(2).getString();
  bucket.region = row.getColumn(3).getString();
  bucket.created = row.getColumn(4).getInt64();
  bucket.acl = row.getColumn(5).getString();
  bucket.policy = row.getColumn(6).getString();
  bucket.tags = DecodePairs(row.getColumn(7).getString());
  bucket.versioning = row.getColumn(8).getString();
  return bucket;
}

bool HasRows(Connection& db, const char* table, int64_t bucket) {
  Query query(db, fmt::format("SELECT 1 FROM {} WHERE bucket = ? LIMIT 1", table));
  query.bind(1, bucket);
  return query.executeStep();
}

}  // namespace

std::string EncodePairs(const Pairs& pairs) {
  return nlohmann::json(pairs).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Pairs DecodePairs(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_array() ? json.get<Pairs>() : Pairs();
}

Status InsertBucket(Connection& db, Bucket& bucket) {
  if (FindBucket(db, bucket.name)) return Fail(ErrorCode::kAlreadyExists, "bucket {}: exists already", bucket.name);
  Query insert(db,
               "INSERT INTO buckets (name, owner, region, created_ms, acl, policy, tags, versioning)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, bucket.name);
  insert.bind(2, bucket.owner);
  insert.bind(3, bucket.region);
  insert.bind(4, bucket.created);
  insert.bind(5, bucket.acl);
  insert.bind(6, bucket.policy);
  insert.bind(7, EncodePairs(bucket.tags));
  insert.bind(8, bucket.versioning);
  insert.exec();
  bucket.id = db.getLastInsertRowid();
  return {};
}

Result<Bucket> FindBucket(Connection& db, const std::string& name) {
  Query query(db, std::string(kSelect) + "name = ?");
  query.bind(1, name);
  if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "bucket {}: does not exist", name);
  return ReadBucket(query);
}

std::vector<Bucket> ListBuckets(Connection& db, const std::string& owner) {
  std::vector<Bucket> buckets;
  Query query(db, std::string(kSelect) + "owner = ? ORDER BY name");
  query.bind(1, owner);
  while (query.executeStep()) buckets.push_back(ReadBucket(query));
  return buckets;
}

void UpdateBucket(Connection& db, const Bucket& bucket) {
  Query update(db, "UPDATE buckets SET acl = ?, policy = ?, tags = ?, versioning = ? WHERE id = ?");
  update.bind(1, bucket.acl);
  update.bind(2, bucket.policy);
  update.bind(3, EncodePairs(bucket.tags));
  update.bind(4, bucket.versioning);
  update.bind(5, bucket.id);
  update.exec();
}

Status DeleteBucket(Connection& db, const std::string& name) {
  HEADRACE_ASSIGN(const Bucket bucket, FindBucket(db, name));
  if (HasRows(db, "objects", bucket.id)) return Fail(ErrorCode::kFailedPrecondition, "bucket {}: holds objects", name);
  if (HasRows(db, "uploads", bucket.id))
    return Fail(ErrorCode::kFailedPrecondition, "bucket {}: holds unfinished multipart uploads", name);
  Query remove(db, "DELETE FROM buckets WHERE id = ?");
  remove.bind(1, bucket.id);
  remove.exec();
  return {};
}

}  // namespace headrace::store
