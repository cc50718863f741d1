#include "jobs/training/artifacts.h"

#include <algorithm>
#include <map>
#include <vector>

#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/archive/merge.h"
#include "jobs/archive/merged_names.h"
#include "jobs/inputs/s3_uri.h"
#include "jobs/request/training_request.h"
#include "jobs/runtime/content_hash.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLongestName = 900;  // with the job's prefix it is an object's key, of 1024 bytes at most

// The names are the program's, where the artifacts are no archives.
Result<std::vector<std::string>> FilesBelow(const std::string& directory) {
  std::vector<std::string> names;
  const auto held = HeldDirectory::Open(directory);
  if (!held && held.error().code() == ErrorCode::kNotFound) return names;
  if (!held) return tl::unexpected<Error>(held.error());
  HEADRACE_TRY(held->Walk([&](const FoundEntry& found) -> Status {
    if (!S_ISREG(found.status.st_mode) || IsUnfinishedFile(found.path)) return {};
    if (found.depth == 0 && found.path.ends_with(".part")) return {};  // an archive that is being packed
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
                 const std::string& path, const std::string& spare, const std::function<bool()>& cancelled) {
  ::unlink(spare.c_str());
  const bool linked = ::link(path.c_str(), spare.c_str()) == 0;
  const auto stored = objects.PutFile(bucket, key, linked ? spare : path, linked, cancelled);
  if (linked) ::unlink(spare.c_str());
  if (!stored) return tl::unexpected<Error>(stored.error());
  return {};
}

bool IsArchive(const std::string& name) { return name == "model.tar.gz" || name == "output.tar.gz"; }
bool IsOfModel(const std::string& name) { return name == "model.tar.gz" || name.starts_with("model/"); }

constexpr const char* NameOf(EntryKind kind) {
  switch (kind) {
    case EntryKind::kDirectory:
      return "directory";
    case EntryKind::kLink:
      return "link";
    default:
      return "file";
  }
}

// What is left out of what several hosts have left, for the job's log.
class Notes {
 public:
  // `hosts`: by the numbers of `entry`.
  void Add(const std::string& prefix, const LeftOut& entry, const std::vector<size_t>& hosts) {
    if (++count_ > kMost) return;
    const auto kept_of = HostName(hosts.at(entry.kept_of)), of = HostName(hosts.at(entry.of));
    const auto name = (prefix + entry.name).substr(0, kLongestName);
    if (entry.kept == entry.left)
      lines_.push_back(fmt::format("[headrace] warning: {}: {} has left another {} than {}, whose is stored", name, of,
                                   NameOf(entry.left), kept_of));
    else
      lines_.push_back(fmt::format("[headrace] warning: {}: {} has left a {}, {} a {}, which is stored", name, of,
                                   NameOf(entry.left), kept_of, NameOf(entry.kept)));
  }

  std::vector<std::string> Take() {
    if (count_ > kMost)
      lines_.push_back(
          fmt::format("[headrace] warning: so with {} more names that several hosts have used", count_ - kMost));
    return std::move(lines_);
  }

 private:
  static constexpr size_t kMost = 20;
  std::vector<std::string> lines_;
  size_t count_ = 0;
};

// Of one name: an archive may be of several hosts.
struct Artifact {
  std::vector<std::string> paths;
  std::vector<size_t> hosts;  // in the same order
};
using Found = std::map<std::string, Artifact>;

Result<bool> AreSame(const std::string& one, const std::string& other) {
  std::string hashes[2];
  for (int i = 0; i < 2; ++i) {
    HEADRACE_ASSIGN(const auto file, OpenRegularFile(i == 0 ? one : other));
    ContentHash hash;
    HEADRACE_TRY(hash.AddFile(file.descriptor.get()));
    hashes[i] = hash.Hex();
  }
  return hashes[0] == hashes[1];
}

// Files that are no archives make one tree of their own.
Result<Found> FindArtifacts(const ArtifactsOfJob& job, Notes& notes) {
  Found found;
  MergedNames tree;
  std::vector<size_t> all_hosts;
  for (size_t host = 0; host < job.hosts.size(); ++host) {
    all_hosts.push_back(host);
    const auto directory = job.hosts[host].artifacts();
    HEADRACE_ASSIGN(const auto names, FilesBelow(directory));
    for (const auto& name : names) {
      if (!job.with_model && IsOfModel(name)) continue;
      const auto path = directory + "/" + name;
      if (!IsArchive(name)) {
        const auto verdict = tree.Add(name, EntryKind::kFile, host);
        if (verdict == MergedNames::Verdict::kAgain) {
          HEADRACE_ASSIGN(const bool same, AreSame(found[name].paths.front(), path));
          if (!same) tree.Differs(name, host);
        }
        if (verdict != MergedNames::Verdict::kTaken) continue;
      }
      found[name].paths.push_back(path);
      found[name].hosts.push_back(host);
    }
  }
  for (const auto& entry : tree.TakeLeftOut()) notes.Add("", entry, all_hosts);
  return found;
}

// One file for what several hosts have left.
Result<std::string> Merged(const ArtifactsOfJob& job, const std::string& name, const Artifact& artifact, Notes& notes) {
  if (artifact.paths.size() == 1) return artifact.paths.front();
  HEADRACE_TRY(MakeDirectories(job.scratch));
  auto merged = job.scratch + "/" + name;
  HEADRACE_ASSIGN(const auto left_out, MergeArchives(artifact.paths, merged, job.cancelled));
  for (const auto& entry : left_out) notes.Add(name + ": ", entry, artifact.hosts);
  return merged;
}

}  // namespace

Status StoreArtifacts(const store::AccountObjects& objects, const ArtifactsOfJob& job, StoredArtifacts& stored) {
  Notes notes;
  HEADRACE_ASSIGN(const auto found, FindArtifacts(job, notes));
  if (found.empty()) return {};
  HEADRACE_ASSIGN(const auto target, ParseS3Uri(job.output_path));
  const auto prefix = OutputPrefix(target, job.job_name);
  for (const auto& [name, artifact] : found) {
    HEADRACE_ASSIGN(const auto path, Merged(job, name, artifact, notes));
    HEADRACE_TRY(StoreFile(objects, target.bucket, prefix + name, path, job.hosts.front().artifacts() + ".upload",
                           job.cancelled));
    if (name == "model.tar.gz") stored.model = "s3://" + target.bucket + "/" + prefix + name;
    if (name.starts_with("model/")) stored.model = "s3://" + target.bucket + "/" + prefix + "model/";
  }
  stored.notes = notes.Take();
  return {};
}

}  // namespace headrace::jobs
