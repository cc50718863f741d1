#include "store/meta/objects.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

using Json = nlohmann::json;

constexpr char kColumns[] = "key, blob, size, etag, modified_ms, info";

Object ReadObject(Query& row, const Bucket& bucket) {
  Object object;
  object.bucket = bucket.name;
  object.key = row.getColumn(0).getString();
  object.blob = row.getColumn(1).getString();
  object.size = static_cast<uint64_t>(row.getColumn(2).getInt64());
  object.etag = row.getColumn(3).getString();
  object.modified = row.getColumn(4).getInt64();
  object.info = DecodeInfo(row.getColumn(5).getString());
  return object;
}

// Walks the keys of a bucket upwards within a prefix, from one bound to the next without reading what lies between.
class KeyCursor {
 public:
  KeyCursor(Connection& db, const Bucket& bucket, const std::string& prefix)
      : bucket_(bucket), prefix_end_(PrefixEnd(prefix)), above_(db, Sql(">")), from_(db, Sql(">=")) {}

  void SeekAbove(const std::string& key) { Seek(above_, key); }
  void SeekFrom(const std::string& key) { Seek(from_, key); }
  bool Next() { return current_->executeStep(); }
  Query& row() { return *current_; }

 private:
  std::string Sql(const char* comparison) const {
    return fmt::format("SELECT {} FROM objects WHERE bucket = ? AND key {} ?{} ORDER BY key", kColumns, comparison,
                       prefix_end_.empty() ? "" : " AND key < ?");
  }
  void Seek(Query& statement, const std::string& key) {
    current_ = &statement;
    statement.reset();
    statement.bind(1, bucket_.id);
    statement.bind(2, key);
    if (!prefix_end_.empty()) statement.bind(3, prefix_end_);
  }

  const Bucket& bucket_;
  const std::string prefix_end_;
  Query above_, from_;
  Query* current_ = nullptr;
};

// The common prefix that `key` falls under, or "".
std::string CommonPrefix(const std::string& key, const ListQuery& query) {
  if (query.delimiter.empty() || key.size() < query.prefix.size()) return {};
  if (key.compare(0, query.prefix.size(), query.prefix) != 0) return {};
  const size_t at = key.find(query.delimiter, query.prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + query.delimiter.size());
}

Pairs UsualHeaders() { return {{"Content-Type", "binary/octet-stream"}}; }

}  // namespace

std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// What most objects have is left out: small PUTs write little else to the database than this text.
std::string EncodeInfo(const ObjectInfo& info) {
  Json json = {{"owner", info.owner}};
  if (info.headers != UsualHeaders()) json["headers"] = info.headers;
  if (info.acl != "private") json["acl"] = info.acl;
  if (!info.metadata.empty()) json["metadata"] = info.metadata;
  if (!info.tags.empty()) json["tags"] = info.tags;
  if (!info.checksums.empty()) json["checksums"] = info.checksums;
  if (!info.checksum_type.empty()) json["checksum_type"] = info.checksum_type;
  if (!info.part_sizes.empty()) json["part_sizes"] = info.part_sizes;
  if (info.checksum_is_default) json["checksum_is_default"] = true;
  if (!info.encryption.empty()) json["encryption"] = info.encryption;
  if (!info.kms_key.empty()) json["kms_key"] = info.kms_key;
  if (info.bucket_key) json["bucket_key"] = true;
  if (info.storage_class != "STANDARD") json["storage_class"] = info.storage_class;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ObjectInfo DecodeInfo(const std::string& text) {
  ObjectInfo info;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return info;
  info.headers = json.value("headers", UsualHeaders());
  info.metadata = json.value("metadata", Pairs());
  info.tags = json.value("tags", Pairs());
  info.owner = json.value("owner", "");
  info.acl = json.value("acl", "private");
  info.storage_class = json.value("storage_class", "STANDARD");
  info.checksums = json.value("checksums", std::map<std::string, std::string>());
  info.checksum_type = json.value("checksum_type", "");
  info.part_sizes = json.value("part_sizes", std::vector<uint64_t>());
  info.checksum_is_default = json.value("checksum_is_default", false);
  info.encryption = json.value("encryption", "");
  info.kms_key = json.value("kms_key", "");
  info.bucket_key = json.value("bucket_key", false);
  return info;
}

Result<Object> FindObject(Connection& db, const Bucket& bucket, const std::string& key) {
  Query query(db, fmt::format("SELECT {} FROM objects WHERE bucket = ? AND key = ?", kColumns));
  query.bind(1, bucket.id);
  query.bind(2, key);
  if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "object {}/{}: does not exist", bucket.name, key);
  return ReadObject(query, bucket);
}

void PutObject(Connection& db, const Bucket& bucket, const Object& object) {
  Query insert(db, fmt::format("INSERT OR REPLACE INTO objects (bucket, {}) VALUES (?, ?, ?, ?, ?, ?, ?)", kColumns));
  insert.bind(1, bucket.id);
  insert.bind(2, object.key);
  insert.bind(3, object.blob);
  insert.bind(4, static_cast<int64_t>(object.size));
  insert.bind(5, object.etag);
  insert.bind(6, object.modified);
  insert.bind(7, EncodeInfo(object.info));
  insert.exec();
}

void DeleteObject(Connection& db, const Bucket& bucket, const std::string& key) {
  for (const char* sql : {"DELETE FROM objects WHERE bucket = ? AND key = ?",
                          "UPDATE uploads SET conflicted = 1 WHERE bucket = ? AND key = ?"}) {
    Query change(db, sql);
    change.bind(1, bucket.id);
    change.bind(2, key);
    change.exec();
  }
}

void PutPartChecksums(Connection& db, const std::string& blob, int number,
                      const std::map<std::string, std::string>& checksums) {
  Query insert(db, "INSERT OR REPLACE INTO part_checksums (blob, number, checksums) VALUES (?, ?, ?)");
  insert.bind(1, blob);
  insert.bind(2, number);
  insert.bind(3, EncodePairs(Pairs(checksums.begin(), checksums.end())));
  insert.exec();
}

std::map<int, std::map<std::string, std::string>> ListPartChecksums(Connection& db, const std::string& blob, int after,
                                                                    size_t limit) {
  std::map<int, std::map<std::string, std::string>> parts;
  Query query(db, "SELECT number, checksums FROM part_checksums WHERE blob = ? AND number > ? ORDER BY number LIMIT ?");
  query.bind(1, blob);
  query.bind(2, after);
  query.bind(3, static_cast<int64_t>(limit));
  while (query.executeStep())
    for (auto& [name, value] : DecodePairs(query.getColumn(1).getString()))
      parts[query.getColumn(0).getInt()][name] = value;
  return parts;
}

void DeletePartChecksums(Connection& db, const std::string& blob) {
  Query remove(db, "DELETE FROM part_checksums WHERE blob = ?");
  remove.bind(1, blob);
  remove.exec();
}

Listing ListObjects(Connection& db, const Bucket& bucket, const ListQuery& query) {
  Listing listing;
  KeyCursor cursor(db, bucket, query.prefix);
  const std::string passed = CommonPrefix(query.after, query);  // wholly behind us
  if (query.after.empty() || query.after < query.prefix) {
    cursor.SeekFrom(query.prefix);
  } else if (passed.empty()) {
    cursor.SeekAbove(query.after);
  } else if (const std::string behind = PrefixEnd(passed); !behind.empty()) {
    cursor.SeekFrom(behind);
  } else {
    return listing;
  }
  while (cursor.Next()) {
    if (listing.objects.size() + listing.prefixes.size() == query.limit) {
      listing.truncated = query.limit > 0;
      break;
    }
    listing.last = cursor.row().getColumn(0).getString();
    std::string common = CommonPrefix(listing.last, query);
    if (common.empty()) {
      listing.objects.push_back(ReadObject(cursor.row(), bucket));
      continue;
    }
    listing.last = common;
    const std::string behind = PrefixEnd(common);
    listing.prefixes.push_back(std::move(common));
    if (behind.empty()) break;
    cursor.SeekFrom(behind);
  }
  return listing;
}

Status CheckPrecondition(Connection& db, const Bucket& bucket, const std::string& key, const Precondition& wanted) {
  if (!wanted.absent && wanted.any_etag.empty()) return {};
  const auto found = FindObject(db, bucket, key);
  if (!found && found.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(found.error());
  if (wanted.absent && found) return Fail(ErrorCode::kFailedPrecondition, "object {}/{}: exists", bucket.name, key);
  if (wanted.any_etag.empty()) return {};
  if (!found) return tl::unexpected<Error>(found.error());
  for (const std::string& etag : wanted.any_etag) {
    if (etag != "*" && etag != found->etag) continue;
    if (wanted.since == 0 || found->modified <= wanted.since) return {};
    return Fail(ErrorCode::kAlreadyExists, "object {}/{}: was written meanwhile", bucket.name, key);
  }
  return Fail(ErrorCode::kFailedPrecondition, "object {}/{}: has ETag {}", bucket.name, key, found->etag);
}

bool BlobInUse(Connection& db, const std::string& blob) {
  Query query(db,
              "SELECT 1 FROM objects WHERE blob = ?1 UNION ALL SELECT 1 FROM upload_parts WHERE blob = ?1"
              " UNION ALL SELECT 1 FROM uploads WHERE shared_blob = ?1 LIMIT 1");
  query.bind(1, blob);
  return query.executeStep();
}

}  // namespace headrace::store
