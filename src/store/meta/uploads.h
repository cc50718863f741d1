// Rows of multipart uploads and their parts. The functions run inside Database::Read or Database::Write.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/meta/objects.h"

namespace headrace::store {

struct Upload {
  std::string id;
  std::string bucket, key;
  UnixMillis created = 0;
  std::string initiator;    // account
  ObjectInfo info;          // what the object will have
  bool conflicted = false;  // the key's object was deleted since the upload was created
};

struct UploadPart {
  int number = 0;  // 1 to 10,000
  std::string blob;
  uint64_t offset = 0;  // within the blob
  uint64_t size = 0;
  std::string etag;  // MD5 of the part, hexadecimal
  UnixMillis modified = 0;
  std::map<std::string, std::string> checksums;
};

struct UploadQuery {
  std::string bucket, prefix, delimiter;
  std::string after_key, after_id;  // uploads above this pair; without an id: above the key
  size_t limit = 1000;
};

struct UploadListing {
  std::vector<Upload> uploads;  // by key, then id
  std::vector<std::string> prefixes;
  bool truncated = false;
  std::string last_key, last_id;
};

void InsertUpload(Connection& db, const Bucket& bucket, const Upload& upload);
// kNotFound unless it is of that bucket and key.
Result<Upload> FindUpload(Connection& db, const Bucket& bucket, const std::string& key, const std::string& id);
UploadListing ListUploads(Connection& db, const Bucket& bucket, const UploadQuery& query);
// The blobs of all parts of all unfinished uploads.
std::vector<std::string> PartBlobs(Connection& db, const Bucket& bucket);
// With its parts.
void DeleteUpload(Connection& db, const std::string& id);

// Replaces a part of the same number.
void PutPart(Connection& db, const std::string& upload, const UploadPart& part);
Result<UploadPart> FindPart(Connection& db, const std::string& upload, int number);
// By number, those above `after`.
std::vector<UploadPart> ListParts(Connection& db, const std::string& upload, int after, size_t limit);

}  // namespace headrace::store
