#include "store/meta/uploads.h"

#include <limits>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

Upload ReadUpload(Query& row, const Bucket& bucket) {
  return {row.getColumn(0).getString(),  bucket.name,
          row.getColumn(1).getString(),  row.getColumn(2).getInt64(),
          row.getColumn(3).getString(),  DecodeInfo(row.getColumn(4).getString()),
          row.getColumn(5).getInt() != 0};
}

constexpr char kPartColumns[] = "number, blob, offset, size, etag, modified_ms, checksums";

UploadPart ReadPart(Query& row) {
  UploadPart part;
  part.number = row.getColumn(0).getInt();
  part.blob = row.getColumn(1).getString();
  part.offset = static_cast<uint64_t>(row.getColumn(2).getInt64());
  part.size = static_cast<uint64_t>(row.getColumn(3).getInt64());
  part.etag = row.getColumn(4).getString();
  part.modified = row.getColumn(5).getInt64();
  for (auto& [name, value] : DecodePairs(row.getColumn(6).getString())) part.checksums[name] = value;
  return part;
}

std::string CommonPrefix(const std::string& key, const UploadQuery& query) {
  if (query.delimiter.empty()) return {};
  const size_t at = key.find(query.delimiter, query.prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + query.delimiter.size());
}

bool Behind(const Upload& upload, const std::string& common, const UploadQuery& query) {
  if (query.after_key.empty()) return false;
  if (!common.empty()) return common <= query.after_key || query.after_key.compare(0, common.size(), common) == 0;
  if (upload.key != query.after_key) return upload.key < query.after_key;
  return query.after_id.empty() || upload.id <= query.after_id;
}

}  // namespace

void InsertUpload(Connection& db, const Bucket& bucket, const Upload& upload) {
  Query insert(db, "INSERT INTO uploads (id, bucket, key, created_ms, initiator, info) VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, upload.id);
  insert.bind(2, bucket.id);
  insert.bind(3, upload.key);
  insert.bind(4, upload.created);
  insert.bind(5, upload.initiator);
  insert.bind(6, EncodeInfo(upload.info));
  insert.exec();
}

Result<Upload> FindUpload(Connection& db, const Bucket& bucket, const std::string& key, const std::string& id) {
  Query query(
      db,
      "SELECT id, key, created_ms, initiator, info, conflicted FROM uploads WHERE id = ? AND bucket = ? AND key = ?");
  query.bind(1, id);
  query.bind(2, bucket.id);
  query.bind(3, key);
  if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "upload {} of {}/{}: none", id, bucket.name, key);
  return ReadUpload(query, bucket);
}

// Unfinished uploads are few, so this walks those from `after_key` on.
UploadListing ListUploads(Connection& db, const Bucket& bucket, const UploadQuery& query) {
  UploadListing listing;
  const std::string end = PrefixEnd(query.prefix);
  Query rows(db, fmt::format("SELECT id, key, created_ms, initiator, info, conflicted FROM uploads WHERE bucket = ? AND"
                             " key >= ?{} ORDER BY key, id",
                             end.empty() ? "" : " AND key < ?"));
  rows.bind(1, bucket.id);
  rows.bind(2, std::max(query.prefix, query.after_key));
  if (!end.empty()) rows.bind(3, end);
  while (rows.executeStep()) {
    Upload upload = ReadUpload(rows, bucket);
    const std::string common = CommonPrefix(upload.key, query);
    if (Behind(upload, common, query)) continue;
    if (!common.empty() && !listing.prefixes.empty() && listing.prefixes.back() == common) continue;
    if (listing.uploads.size() + listing.prefixes.size() == query.limit) {
      listing.truncated = query.limit > 0;
      break;
    }
    listing.last_key = common.empty() ? upload.key : common;
    listing.last_id = common.empty() ? upload.id : std::string();
    if (common.empty()) {
      listing.uploads.push_back(std::move(upload));
    } else {
      listing.prefixes.push_back(common);
    }
  }
  return listing;
}

std::vector<std::string> PartBlobs(Connection& db, const Bucket& bucket) {
  std::vector<std::string> blobs;
  Query query(db, "SELECT DISTINCT blob FROM upload_parts WHERE upload IN (SELECT id FROM uploads WHERE bucket = ?)");
  query.bind(1, bucket.id);
  while (query.executeStep()) blobs.push_back(query.getColumn(0).getString());
  return blobs;
}

void DeleteUpload(Connection& db, const std::string& id) {
  for (const char* sql : {"DELETE FROM upload_parts WHERE upload = ?", "DELETE FROM uploads WHERE id = ?"}) {
    Query remove(db, sql);
    remove.bind(1, id);
    remove.exec();
  }
}

void PutPart(Connection& db, const std::string& upload, const UploadPart& part) {
  Query insert(db, fmt::format("INSERT OR REPLACE INTO upload_parts (upload, {}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                               kPartColumns));
  insert.bind(1, upload);
  insert.bind(2, part.number);
  insert.bind(3, part.blob);
  insert.bind(4, static_cast<int64_t>(part.offset));
  insert.bind(5, static_cast<int64_t>(part.size));
  insert.bind(6, part.etag);
  insert.bind(7, part.modified);
  insert.bind(8, EncodePairs(Pairs(part.checksums.begin(), part.checksums.end())));
  insert.exec();
}

Result<UploadPart> FindPart(Connection& db, const std::string& upload, int number) {
  Query query(db, fmt::format("SELECT {} FROM upload_parts WHERE upload = ? AND number = ?", kPartColumns));
  query.bind(1, upload);
  query.bind(2, number);
  if (!query.executeStep()) return Fail(ErrorCode::kNotFound, "upload {}: has no part {}", upload, number);
  return ReadPart(query);
}

std::vector<UploadPart> ListParts(Connection& db, const std::string& upload, int after, size_t limit) {
  std::vector<UploadPart> parts;
  Query query(db, fmt::format("SELECT {} FROM upload_parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?",
                              kPartColumns));
  query.bind(1, upload);
  query.bind(2, after);
  query.bind(3, static_cast<int64_t>(std::min<size_t>(limit, std::numeric_limits<int>::max())));
  while (query.executeStep()) parts.push_back(ReadPart(query));
  return parts;
}

}  // namespace headrace::store
