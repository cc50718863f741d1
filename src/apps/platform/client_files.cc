#include "apps/platform/client_files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::apps {
namespace {

namespace fs = std::filesystem;
constexpr mode_t kEverybodyReads = 0644, kEverybodyEnters = 0755;

Status MakeReadable(const std::string& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) == 0) return {};
  return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be made readable for others: {}", path, std::strerror(errno));
}

Status CheckIsOurs(const std::string& directory) {
  struct stat status;
  if (::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
      (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return {};
  return Fail(ErrorCode::kFailedPrecondition,
              "--client-files: {}: wanted a directory of the server's own user that nobody else may write to",
              directory);
}

}  // namespace

Status PublishFiles(const std::string& directory, const std::map<std::string, std::string>& files) {
  HEADRACE_TRY(MakeDirectories(directory));
  HEADRACE_TRY(CheckIsOurs(directory));
  HEADRACE_TRY(MakeReadable(directory, kEverybodyEnters));
  for (const auto& [name, bytes] : files) {
    fs::path inner = directory;
    for (const auto& part : fs::path(name).parent_path()) {
      inner /= part;
      HEADRACE_TRY(MakeDirectories(inner));
      HEADRACE_TRY(MakeReadable(inner, kEverybodyEnters));
    }
    HEADRACE_ASSIGN(auto file, AtomicFile::Create(directory + "/" + name));
    HEADRACE_TRY(MakeReadable(file.temporary_path(), kEverybodyReads));
    HEADRACE_TRY(file.Write(bytes));
    HEADRACE_TRY(file.Commit());
  }
  return {};
}

}  // namespace headrace::apps
