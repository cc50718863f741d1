// Objects of the store that jobs, endpoints and transform jobs read: found by their S3 URIs, as far as their account
// may read them now.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jobs/inputs/input_object.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

// All objects below a prefix, named as File mode names them: the key behind the prefix, or the base name for a prefix
// that is exactly one key.
Result<std::vector<InputObject>> ListPrefix(const store::AccountObjects& objects, const std::string& uri);

// A ManifestFile, [{"prefix": "s3://b/p/"}, "key", …]: each entry is the object `prefix` + entry.
struct Manifest {
  InputObject object;  // itself
  std::string prefix;
  std::vector<std::string> entries;
};
Result<Manifest> ReadManifest(const store::AccountObjects& objects, const std::string& uri);

// One object. kNotFound, kFailedPrecondition when the account may not read it.
Result<InputObject> FindInput(const store::AccountObjects& objects, const std::string& uri);

// The text of a manifest of any kind.
Result<std::string> ReadManifestText(const InputObject& object);

// The name of a file for a key, or for what stands in it behind a prefix: leading and doubled slashes are keys that
// differ but paths that do not.
std::string NameOfKey(std::string_view key);

}  // namespace headrace::jobs
