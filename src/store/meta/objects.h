// Rows of objects: which blob holds a key's bytes and what is known of them. The functions run inside Database::Read
// or Database::Write.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/meta/buckets.h"

namespace headrace::store {

// What is kept with an object besides its bytes.
struct ObjectInfo {
  Pairs headers;   // returned as they came: "Content-Type", "Cache-Control"…
  Pairs metadata;  // user's, without "x-amz-meta-"
  Pairs tags;
  std::string owner;                             // account that wrote it
  std::string acl = "private";                   // a canned ACL
  std::string storage_class = "STANDARD";        // as asked for; all are stored alike
  std::map<std::string, std::string> checksums;  // "CRC32" to base64
  std::string checksum_type;                     // "FULL_OBJECT", "COMPOSITE" or ""
  bool checksum_is_default = false;              // of an upload that was created without a word on checksums
  std::vector<uint64_t> part_sizes;              // of a completed multipart upload
  std::string encryption;                        // "aws:kms", "aws:kms:dsse" or "": AES256; what clients are told
  std::string kms_key;                           // as the client named it; "": the account's own key
  bool bucket_key = false;
};

struct Object {
  std::string bucket, key;
  std::string blob;  // names the file
  uint64_t size = 0;
  std::string etag;  // without quotes
  UnixMillis modified = 0;
  ObjectInfo info;
};

// What must hold for a write to happen.
struct Precondition {
  bool absent = false;                // If-None-Match: *
  std::vector<std::string> any_etag;  // If-Match; "*": any object
  UnixMillis since = 0;               // the object that If-Match meets must not be newer than this; 0: never mind
};

struct ListQuery {
  std::string bucket;
  std::string prefix;
  std::string delimiter;  // empty: none
  std::string after;      // keys and common prefixes above this one
  size_t limit = 1000;    // of both together
};

struct Listing {
  std::vector<Object> objects;        // in the order of their UTF-8 bytes
  std::vector<std::string> prefixes;  // common ones
  bool truncated = false;
  std::string last;  // the last key or prefix returned: where the next page goes on
};

// kNotFound.
Result<Object> FindObject(Connection& db, const Bucket& bucket, const std::string& key);
// Inserts or replaces.
void PutObject(Connection& db, const Bucket& bucket, const Object& object);
void DeleteObject(Connection& db, const Bucket& bucket, const std::string& key);
// `query.bucket` is not looked at. Cost grows with what is returned, not with what is stored.
Listing ListObjects(Connection& db, const Bucket& bucket, const ListQuery& query);
// kFailedPrecondition, kNotFound when If-Match meets no object, or kAlreadyExists when it meets one that was written
// after `wanted.since`.
Status CheckPrecondition(Connection& db, const Bucket& bucket, const std::string& key, const Precondition& wanted);

// Checksums of the parts that a completed upload put into `blob`, by number from 1; `after` and `limit` choose.
void PutPartChecksums(Connection& db, const std::string& blob, int number,
                      const std::map<std::string, std::string>& checksums);
std::map<int, std::map<std::string, std::string>> ListPartChecksums(Connection& db, const std::string& blob, int after,
                                                                    size_t limit);
void DeletePartChecksums(Connection& db, const std::string& blob);

// Whether an object or a part lies in that blob.
bool BlobInUse(Connection& db, const std::string& blob);

std::string EncodeInfo(const ObjectInfo& info);
ObjectInfo DecodeInfo(const std::string& text);

// The first text behind every text that begins with `prefix`; "" when there is none.
std::string PrefixEnd(std::string prefix);

}  // namespace headrace::store
