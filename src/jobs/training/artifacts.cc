#include "jobs/training/artifacts.h"

#include <algorithm>
#include <map>
#include <vector>

#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/archive/merge.h"
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

bool IsArchive(const std::string& name) { return name == "model.tar.gz" || name == "output.tar.gz"; }
bool IsOfModel(const std::string& name) { return name == "model.tar.gz" || name.starts_with("model/"); }

// The path of each artifact, by its name; several for an archive that several hosts have left.
using Found = std::map<std::string, std::vector<std::string>>;

void NoteAgain(const std::string& name, std::vector<std::string>& notes) {
  constexpr size_t kMostNotes = 20;
  if (notes.size() < kMostNotes)
    notes.push_back(fmt::format("[headrace] warning: {} was left by several hosts: the first one's is stored", name));
}

Result<Found> FindArtifacts(const ArtifactsOfJob& job, std::vector<std::string>& notes) {
  Found found;
  for (const auto& host : job.hosts) {
    HEADRACE_ASSIGN(const auto names, FilesBelow(host.artifacts()));
    for (const auto& name : names) {
      if (!job.with_model && IsOfModel(name)) continue;
      auto& paths = found[name];
      if (paths.empty() || IsArchive(name))
        paths.push_back(host.artifacts() + "/" + name);
      else
        NoteAgain(name, notes);
    }
  }
  return found;
}

// One file for what several hosts have left.
Result<std::string> Merged(const ArtifactsOfJob& job, const std::string& name, const std::vector<std::string>& paths,
                           std::vector<std::string>& notes) {
  if (paths.size() == 1) return paths.front();
  HEADRACE_TRY(MakeDirectories(job.scratch));
  auto merged = job.scratch + "/" + name;
  HEADRACE_ASSIGN(const auto again, MergeArchives(paths, merged));
  for (const auto& file : again) NoteAgain(fmt::format("{} in {}", file, name), notes);
  return merged;
}

}  // namespace

Result<StoredArtifacts> StoreArtifacts(const store::AccountObjects& objects, const ArtifactsOfJob& job) {
  StoredArtifacts stored;
  HEADRACE_ASSIGN(const auto found, FindArtifacts(job, stored.notes));
  if (found.empty()) return stored;
  HEADRACE_ASSIGN(const auto target, ParseS3Uri(job.output_path));
  const auto prefix = OutputPrefix(target, job.job_name);
  for (const auto& [name, paths] : found) {
    HEADRACE_ASSIGN(const auto path, Merged(job, name, paths, stored.notes));
    HEADRACE_TRY(StoreFile(objects, target.bucket, prefix + name, path, job.hosts.front().artifacts() + ".upload"));
    if (name == "model.tar.gz") stored.model = "s3://" + target.bucket + "/" + prefix + name;
    if (name.starts_with("model/")) stored.model = "s3://" + target.bucket + "/" + prefix + "model/";
  }
  return stored;
}

}  // namespace headrace::jobs
