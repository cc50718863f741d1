// Rows of buckets. The functions run inside Database::Read or Database::Write.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace headrace::store {

class Connection;

// Names and values in the order given: tags, metadata, headers.
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Bucket {
  int64_t id = 0;
  std::string name;
  std::string owner;  // account id
  std::string region;
  UnixMillis created = 0;
  std::string acl = "private";  // a canned ACL
  std::string policy;           // the JSON document; empty: none
  Pairs tags;
  std::string versioning;  // "" or "Suspended"
  // Documents that were put, by sub-resource: "encryption", "publicAccessBlock"… Empty text: it was deleted. None: the
  // bucket has what new buckets have.
  std::map<std::string, std::string> configurations;
};

// kAlreadyExists.
Status InsertBucket(Connection& db, Bucket& bucket);
// kNotFound.
Result<Bucket> FindBucket(Connection& db, const std::string& name);
std::vector<Bucket> ListBuckets(Connection& db, const std::string& owner);
// acl, policy, tags, versioning and configurations.
void UpdateBucket(Connection& db, const Bucket& bucket);
// With its unfinished uploads. kNotFound; kFailedPrecondition while it holds objects.
Status DeleteBucket(Connection& db, const std::string& name);

// JSON text for a column and back.
std::string EncodePairs(const Pairs& pairs);
Pairs DecodePairs(const std::string& text);

}  // namespace headrace::store
