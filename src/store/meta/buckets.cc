#include "store/meta/buckets.h"

#include <nlohmann/json.hpp>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

constexpr char kSelect[] =
    "SELECT id, name, owner, region, created_ms, acl, policy, tags, versioning, configurations FROM buckets WHERE ";

using Configurations = std::map<std::string, std::string>;

std::string EncodeConfigurations(const Configurations& configurations) {
  return nlohmann::json(configurations).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Configurations DecodeConfigurations(const std::string& text) {
  if (text == "{}") return {};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() ? json.get<Configurations>() : Configurations();
}

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
  bucket.configurations = DecodeConfigurations(row.getColumn(9).getString());
  return bucket;
}

bool HoldsObjects(Connection& db, int64_t bucket) {
  Query query(db, "SELECT 1 FROM objects WHERE bucket = ? LIMIT 1");
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
               "INSERT INTO buckets (name, owner, region, created_ms, acl, policy, tags, versioning,"
               " configurations) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, bucket.name);
  insert.bind(2, bucket.owner);
  insert.bind(3, bucket.region);
  insert.bind(4, bucket.created);
  insert.bind(5, bucket.acl);
  insert.bind(6, bucket.policy);
  insert.bind(7, EncodePairs(bucket.tags));
  insert.bind(8, bucket.versioning);
  insert.bind(9, EncodeConfigurations(bucket.configurations));
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
  Query update(db, "UPDATE buckets SET acl = ?, policy = ?, tags = ?, versioning = ?, configurations = ? WHERE id = ?");
  update.bind(1, bucket.acl);
  update.bind(2, bucket.policy);
  update.bind(3, EncodePairs(bucket.tags));
  update.bind(4, bucket.versioning);
  update.bind(5, EncodeConfigurations(bucket.configurations));
  update.bind(6, bucket.id);
  update.exec();
}

Status DeleteBucket(Connection& db, const std::string& name) {
  HEADRACE_ASSIGN(const Bucket bucket, FindBucket(db, name));
  if (HoldsObjects(db, bucket.id)) return Fail(ErrorCode::kFailedPrecondition, "bucket {}: holds objects", name);
  for (const char* sql : {"DELETE FROM upload_parts WHERE upload IN (SELECT id FROM uploads WHERE bucket = ?)",
                          "DELETE FROM uploads WHERE bucket = ?", "DELETE FROM buckets WHERE id = ?"}) {
    Query remove(db, sql);
    remove.bind(1, bucket.id);
    remove.exec();
  }
  return {};
}

}  // namespace headrace::store
