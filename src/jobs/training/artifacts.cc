#include "jobs/training/artifacts.h"

#include <algorithm>
#include <vector>

#include <unistd.h>

#include "base/beneath.h"
#include "jobs/request/s3_uri.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLongestName = 900;  // with the job's prefix it is an object's key, of 1024 bytes at most

bool IsUnfinished(const std::string& name) { return name.ends_with(".part"); }

// The names are the program's, where the artifacts are no archives.
Result<std::vector<std::string>> FilesBelow(const std::string& directory) {
  std::vector<std::string> names;
  const auto held = HeldDirectory::Open(directory);
  if (!held && held.error().code() == ErrorCode::kNotFound) return names;
  if (!held) return tl::unexpected<Error>(held.error());
  HEADRACE_TRY(held->Walk([&](const FoundEntry& found) -> Status {
    if (!S_ISREG(found.status.st_mode) || (found.depth == 0 && IsUnfinished(found.path))) return {};
    if (found.path.size() > kLongestName)
      return Fail(ErrorCode::kInvalidArgument, "the file {}…: found a name of {} bytes, wanted at most {}",
                  found.path.substr(0, 100), found.path.size(), kLongestName);
    names.push_back(found.path);
    return {};
  }));
  std::sort(names.begin(), names.end());
  return names;
}

// `spare`, a second name of the file, goes into the store, so that a crash on the way can begin again. It lies outside
// of the tree, whose names are the program's.
Status StoreFile(const store::AccountObjects& objects, const std::string& bucket, const std::string& key,
                 const std::string& path, const std::string& spare) {
  ::unlink(spare.c_str());
  const bool linked = ::link(path.c_str(), spare.c_str()) == 0;
  const auto stored = objects.PutFile(bucket, key, linked ? spare : path, linked);
  if (linked) ::unlink(spare.c_str());
  if (!stored) return tl::unexpected<Error>(stored.error());
  return {};
}

}  // namespace

Result<std::string> StoreArtifacts(const store::AccountObjects& objects, const std::string& output_path,
                                   const std::string& job_name, const JobDirectory& directory) {
  HEADRACE_ASSIGN(const auto names, FilesBelow(directory.artifacts()));
  if (names.empty()) return "";
  HEADRACE_ASSIGN(const auto target, ParseS3Uri(output_path));
  const auto prefix = OutputPrefix(target, job_name);
  std::string model;
  for (const auto& name : names) {
    HEADRACE_TRY(StoreFile(objects, target.bucket, prefix + name, directory.artifacts() + "/" + name,
                           directory.artifacts() + ".upload"));
    if (name == "model.tar.gz") model = "s3://" + target.bucket + "/" + prefix + name;
    if (name.starts_with("model/")) model = "s3://" + target.bucket + "/" + prefix + "model/";
  }
  return model;
}

}  // namespace headrace::jobs
