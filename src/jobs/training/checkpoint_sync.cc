#include "jobs/training/checkpoint_sync.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "jobs/inputs/s3_uri.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

// What one look takes: a directory of more files than this, or deeper ones, is no directory of checkpoints.
constexpr uint64_t kMostFiles = 100'000;
constexpr size_t kLongestKey = 1024;

int64_t Nanoseconds(const struct timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

// At most `size` bytes: the job may write on while we read.
Status CopyFrom(int file, const std::string& target, uint64_t size, const std::function<bool()>& cancelled) {
  HEADRACE_ASSIGN(auto copy, AtomicFile::Create(target));
  std::string buffer(size_t{1} << 20, '\0');
  while (true) {
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled");
    const ssize_t n = ::read(file, buffer.data(), std::min<uint64_t>(buffer.size(), size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot read: {}", target, std::strerror(errno));
    if (n == 0) return copy.Commit();
    HEADRACE_TRY(copy.Write({buffer.data(), static_cast<size_t>(n)}));
    size -= static_cast<uint64_t>(n);
  }
}

}  // namespace

CheckpointSync::CheckpointSync(store::AccountObjects objects, const std::string& uri, const HostDirectory& job,
                               std::string directory, uint64_t largest)
    : objects_(std::move(objects)),
      root_(job.files()),
      directory_(std::move(directory)),
      state_file_(job.checkpoint_state()),
      marker_(job.program_started()),
      largest_(largest) {
  if (const auto parsed = ParseS3Uri(uri)) {
    bucket_ = parsed->bucket;
    prefix_ = parsed->key;
    if (!prefix_.empty() && !prefix_.ends_with('/')) prefix_ += '/';
  }
  Load();
}

// The job may put links, FIFOs and anything else there, and swap them while we look.
Result<std::optional<CheckpointSync::Versions>> CheckpointSync::Look() const {
  const auto directory = OpenDirectory();
  if (!directory && directory.error().code() == ErrorCode::kNotFound) return std::nullopt;
  if (!directory) return tl::unexpected<Error>(directory.error());
  Versions found;
  HEADRACE_TRY(directory->Walk(
      [&](const FoundEntry& entry) -> Status {
        if (!S_ISREG(entry.status.st_mode) || IsUnfinishedFile(entry.path)) return {};
        if (prefix_.size() + entry.path.size() > kLongestKey)
          return Fail(ErrorCode::kInvalidArgument, "checkpoint {}…: its key in S3 would have more than {} bytes",
                      entry.path.substr(0, 100), kLongestKey);
        found[entry.path] = {static_cast<uint64_t>(entry.status.st_size), Nanoseconds(entry.status.st_mtim)};
        return {};
      },
      {.entries = kMostFiles}));
  return found;
}

Result<HeldDirectory> CheckpointSync::OpenDirectory() const {
  HEADRACE_ASSIGN(const auto root, HeldDirectory::Open(root_));
  return root.OpenDirectory(directory_);
}

Status CheckpointSync::Upload(const std::string& name, const Version& version, const std::function<bool()>& cancelled) {
  // In the object store a file has no holes: all of its length counts.
  if (version.size > largest_)
    return Fail(ErrorCode::kInvalidArgument, "checkpoint {}: found {} bytes, wanted at most {} (VolumeSizeInGB)", name,
                version.size, largest_);
  const auto directory = OpenDirectory();
  const auto file =
      directory ? directory->OpenFile(name) : Result<Descriptor>(tl::unexpected<Error>(directory.error()));
  if (!file) return {};  // gone, or no longer a file of the directory
  const auto copy = state_file_ + ".upload";
  HEADRACE_TRY(CopyFrom(file->get(), copy, version.size, cancelled));
  const auto stored = objects_.PutFile(bucket_, prefix_ + name, copy, true, cancelled);
  ::unlink(copy.c_str());
  if (!stored) return Fail(stored.error().code(), "checkpoint {}: {}", name, stored.error().message());
  uploaded_[name] = version;
  return {};
}

Status CheckpointSync::Restored(const std::vector<std::string>& names) {
  uploaded_.clear();
  for (const auto& name : names) uploaded_[name] = Version::Restored();
  return Save();
}

// Files that were restored and are older than the program are what S3 has: were they stored again, another host's newer
// checkpoint of the same name would be lost, and one that another host has deleted would be back.
bool CheckpointSync::TakeRestored(const Versions& now, int64_t program_began_ns) {
  bool any = false;
  for (auto& [name, version] : uploaded_) {
    if (version != Version::Restored()) continue;
    const auto found = now.find(name);
    if (found == now.end() || found->second.modified_ns >= program_began_ns) continue;
    version = found->second;
    any = true;
  }
  return any;
}

Status CheckpointSync::Step(bool last, const std::function<bool()>& cancelled) {
  if (bucket_.empty()) return {};
  HEADRACE_ASSIGN(auto seen, Look());
  // Another attempt begins with an empty directory, which says nothing of what is in S3.
  struct stat marker {};
  if (!seen || ::stat(marker_.c_str(), &marker) != 0) return {};
  auto now = std::move(*seen);
  bool changed = TakeRestored(now, Nanoseconds(marker.st_mtim));
  for (const auto& [name, version] : now) {
    if (const auto known = uploaded_.find(name); known != uploaded_.end() && known->second == version) continue;
    const auto before = seen_.find(name);
    if (!last && (before == seen_.end() || before->second != version)) continue;
    HEADRACE_TRY(Upload(name, version, cancelled));
    changed = true;
  }
  for (auto at = uploaded_.begin(); at != uploaded_.end();) {
    if (now.contains(at->first)) {
      ++at;
      continue;
    }
    const auto deleted = objects_.Delete(bucket_, prefix_ + at->first);
    if (!deleted) return Fail(deleted.error().code(), "checkpoint {}: {}", at->first, deleted.error().message());
    at = uploaded_.erase(at);
    changed = true;
  }
  seen_ = std::move(now);
  return changed ? Save() : Status{};
}

Status CheckpointSync::Save() const {
  json into = json::object();
  for (const auto& [name, version] : uploaded_) into[name] = {version.size, version.modified_ns};
  return WriteFileAtomically(state_file_, into.dump(-1, ' ', false, json::error_handler_t::replace));
}

void CheckpointSync::Load() {
  const auto text = ReadFile(state_file_);
  if (!text) return;
  const auto from = json::parse(*text, nullptr, false);
  if (!from.is_object()) return;
  for (const auto& [name, version] : from.items())
    if (version.is_array() && version.size() == 2)
      uploaded_[name] = {version[0].get<uint64_t>(), version[1].get<int64_t>()};
}

}  // namespace headrace::jobs
