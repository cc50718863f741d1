#include "savedmodel/export/staged_directory.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::savedmodel {
namespace {

namespace fs = std::filesystem;

void SyncDirectory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

tl::unexpected<Error> FailRename(const std::string& from, const std::string& to) {
  return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be renamed to {}: {}", from, to, std::strerror(errno));
}

}  // namespace

Result<StagedDirectory> StagedDirectory::Create(const std::string& target) {
  StagedDirectory directory;
  // "export/1/" names the same directory as "export/1".
  fs::path path = fs::absolute(target).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  directory.target_ = path.string();
  const std::string parent = path.parent_path().string();
  HEADRACE_TRY(MakeDirectories(parent));
  std::string staging = fmt::format("{}/.{}.XXXXXX", parent, path.filename().string());
  if (::mkdtemp(staging.data()) == nullptr)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot make a directory: {}", parent, std::strerror(errno));
  ::chmod(staging.c_str(), 0755);
  directory.staging_ = staging;
  return directory;
}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : target_(std::move(other.target_)), staging_(std::exchange(other.staging_, "")) {}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  if (!staging_.empty()) fs::remove_all(staging_, ignored);
}

Status StagedDirectory::Commit(bool overwrite) {
  SyncDirectory(staging_);
  std::error_code ignored;
  if (fs::exists(target_, ignored) && !fs::is_empty(target_, ignored)) {
    if (!overwrite)
      return Fail(ErrorCode::kFailedPrecondition, "{}: exists already; choose another version or ask to overwrite it",
                  target_);
    // The two change places at once, and what was there goes with the destructor.
    if (::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0)
      return FailRename(staging_, target_);
  } else {
    if (::rename(staging_.c_str(), target_.c_str()) != 0) return FailRename(staging_, target_);
    staging_.clear();
  }
  SyncDirectory(fs::path(target_).parent_path().string());
  return {};
}

}  // namespace headrace::savedmodel
