#include "jobs/training/artifacts.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <unistd.h>

#include "jobs/training/s3_uri.h"
#include "store/objects/object_store.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FilesBelow(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (at->is_regular_file() && !at->is_symlink() && at->path().extension() != ".part" &&
        at->path().extension() != ".upload")
      names.push_back(at->path().lexically_relative(directory).string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Status MayWrite(const store::ObjectStore& objects, const std::string& account, const std::string& bucket) {
  const auto found = objects.FindBucket(bucket);
  if (!found) return Fail(ErrorCode::kNotFound, "the bucket '{}' does not exist", bucket);
  if (found->owner != account && found->acl != "public-read-write")
    return Fail(ErrorCode::kInvalidArgument, "access to the bucket '{}' is denied", bucket);
  return {};
}

// A second name goes into the store, so that a crash on the way can begin again.
Status StoreFile(store::ObjectStore& objects, const std::string& account, const std::string& bucket,
                 const std::string& key, const std::string& path) {
  const auto upload = path + ".upload";
  ::unlink(upload.c_str());
  store::ObjectInfo info;
  info.owner = account;
  info.headers = {{"Content-Type", "binary/octet-stream"}};
  const bool linked = ::link(path.c_str(), upload.c_str()) == 0;
  const auto stored = objects.PutFile(bucket, key, linked ? upload : path, std::move(info), linked);
  if (linked) ::unlink(upload.c_str());
  if (!stored) return tl::unexpected<Error>(stored.error());
  return {};
}

Result<std::string> StoreArtifacts(store::ObjectStore& objects, const std::string& account,
                                   const std::string& output_path, const std::string& job_name,
                                   const JobDirectory& directory) {
  const auto names = FilesBelow(directory.artifacts());
  if (names.empty()) return "";
  HEADRACE_ASSIGN(const auto target, ParseS3Uri(output_path));
  HEADRACE_TRY(MayWrite(objects, account, target.bucket));
  const auto prefix = OutputPrefix(target, job_name);
  std::string model;
  for (const auto& name : names) {
    HEADRACE_TRY(StoreFile(objects, account, target.bucket, prefix + name, directory.artifacts() + "/" + name));
    if (name == "model.tar.gz") model = "s3://" + target.bucket + "/" + prefix + name;
    if (name.starts_with("model/")) model = "s3://" + target.bucket + "/" + prefix + "model/";
  }
  return model;
}

}  // namespace headrace::jobs
