#include "jobs/training/checkpoint_sync.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <linux/openat2.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "jobs/training/artifacts.h"
#include "jobs/training/s3_uri.h"
#include "store/objects/object_store.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The job may swap any part of the path for a link while we look: nothing outside the directory is ever opened.
Descriptor OpenBeneath(const std::string& directory, const std::string& name) {
  const Descriptor root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return {};
  struct open_how how {};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return Descriptor(static_cast<int>(::syscall(SYS_openat2, root.get(), name.c_str(), &how, sizeof how)));
}

int64_t Nanoseconds(const struct timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

Status CopyFrom(int file, const std::string& target) {
  HEADRACE_ASSIGN(auto copy, AtomicFile::Create(target));
  std::string buffer(size_t{1} << 20, '\0');
  while (true) {
    const ssize_t n = ::read(file, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot read: {}", target, std::strerror(errno));
    if (n == 0) return copy.Commit();
    HEADRACE_TRY(copy.Write({buffer.data(), static_cast<size_t>(n)}));
  }
}

}  // namespace

CheckpointSync::CheckpointSync(store::ObjectStore& objects, std::string account, const std::string& uri,
                               std::string root, std::string directory, std::string state_file)
    : objects_(objects),
      account_(std::move(account)),
      root_(std::move(root)),
      directory_(std::move(directory)),
      state_file_(std::move(state_file)) {
  if (const auto parsed = ParseS3Uri(uri)) {
    bucket_ = parsed->bucket;
    prefix_ = parsed->key;
    if (!prefix_.empty() && !prefix_.ends_with('/')) prefix_ += '/';
  }
  Load();
}

CheckpointSync::Versions CheckpointSync::Look() const {
  Versions found;
  std::error_code error;
  for (fs::recursive_directory_iterator at(root_ + "/" + directory_, error), end; !error && at != end;
       at.increment(error)) {
    struct stat status {};
    if (::lstat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    found[at->path().lexically_relative(root_ + "/" + directory_).string()] = {static_cast<uint64_t>(status.st_size),
                                                                               Nanoseconds(status.st_mtim)};
  }
  return found;
}

Status CheckpointSync::Upload(const std::string& name, const Version& version) {
  const auto file = OpenBeneath(root_, directory_ + "/" + name);
  if (!file) return {};  // gone, or no longer a file of the directory
  const auto copy = state_file_ + ".upload";
  HEADRACE_TRY(CopyFrom(file.get(), copy));
  store::ObjectInfo info;
  info.owner = account_;
  info.headers = {{"Content-Type", "binary/octet-stream"}};
  const auto stored = objects_.PutFile(bucket_, prefix_ + name, copy, std::move(info), true);
  ::unlink(copy.c_str());
  if (!stored) return Fail(stored.error().code(), "checkpoint {}: {}", name, stored.error().message());
  uploaded_[name] = version;
  return {};
}

Status CheckpointSync::Restored(const std::vector<std::string>& names) {
  uploaded_.clear();
  for (const auto& name : names) uploaded_[name] = {0, -1};  // the copy's own time is not known yet
  return Save();
}

Status CheckpointSync::Step(bool last) {
  if (bucket_.empty()) return {};
  auto now = Look();
  bool changed = false;
  for (const auto& [name, version] : now) {
    if (const auto known = uploaded_.find(name); known != uploaded_.end() && known->second == version) continue;
    const auto before = seen_.find(name);
    if (!last && (before == seen_.end() || before->second != version)) continue;
    if (!changed) HEADRACE_TRY(MayWrite(objects_, account_, bucket_));
    HEADRACE_TRY(Upload(name, version));
    changed = true;
  }
  for (auto at = uploaded_.begin(); at != uploaded_.end();) {
    if (now.contains(at->first)) {
      ++at;
      continue;
    }
    const auto deleted = objects_.Delete(bucket_, prefix_ + at->first);
    if (!deleted) return tl::unexpected<Error>(deleted.error());
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
