#include "jobs/sandbox/mount_points.h"

#include <filesystem>

#include "base/beneath.h"
#include "jobs/sandbox/system_view.h"

namespace headrace::jobs {
namespace {

// The writable mount that a target lies below, or none.
const Mount* WritableAbove(const std::vector<Mount>& mounts, const std::string& target) {
  const Mount* above = nullptr;
  for (const auto& mount : mounts)
    if (mount.target != target && IsBelow(target, mount.target) &&
        (above == nullptr || mount.target.size() > above->target.size()))
      above = &mount;
  return above != nullptr && above->writable ? above : nullptr;
}

Status MakeMountPoint(const Mount& above, const Mount& mount) {
  const auto name = mount.target.substr(above.target.size() + (above.target.ends_with('/') ? 0 : 1));
  HEADRACE_ASSIGN(const auto directory, HeldDirectory::Open(above.source));
  std::error_code ignored;
  if (std::filesystem::is_directory(mount.source, ignored)) {
    HEADRACE_TRY(directory.MakeDirectories(name));
    return {};
  }
  const auto found = directory.Examine(name);
  if (found && S_ISREG(found->st_mode)) return {};
  if (found) HEADRACE_TRY(directory.Remove(name));
  if (const auto slash = name.rfind('/'); slash != std::string::npos)
    HEADRACE_TRY(directory.MakeDirectories(name.substr(0, slash)));
  HEADRACE_TRY(directory.CreateFile(name));
  return {};
}

}  // namespace

Status MakeMountPoints(const SandboxOptions& options) {
  std::vector<Mount> mounts;
  if (!options.home.empty()) mounts.push_back({options.home, "/root", true});
  mounts.insert(mounts.end(), options.mounts.begin(), options.mounts.end());
  std::vector<Mount> all = mounts;
  for (const auto& path : options.read_only)
    if (std::filesystem::exists(path)) all.push_back({path, path, false});
  for (const auto& mount : all) {
    const Mount* above = WritableAbove(mounts, mount.target);
    if (above == nullptr) continue;
    if (auto made = MakeMountPoint(*above, mount); !made)
      return Fail(ErrorCode::kInvalidArgument, "{} cannot be shown to the job: {}", mount.target,
                  made.error().message());
  }
  return {};
}

}  // namespace headrace::jobs
