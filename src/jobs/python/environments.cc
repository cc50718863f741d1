#include "jobs/python/environments.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::jobs {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLargestFile = size_t{1} << 20;

Status CheckOwner(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition, "{}: {}", path,
                std::strerror(errno));
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (S_ISREG(status.st_mode) && ours && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return Fail(ErrorCode::kFailedPrecondition,
              "{}: not believed, because it is no file of this user's that nobody else may write (chmod 644, chown)",
              path);
}

PythonEnvironment Decode(const ordered_json& from) {
  return {from.at("name"), from.at("framework"), from.at("interpreter"), from.value("made", false)};
}

}  // namespace

Result<std::vector<PythonEnvironment>> PythonEnvironments::Read() const {
  std::vector<PythonEnvironment> environments;
  if (const auto owner = CheckOwner(File()); !owner) {
    if (owner.error().code() == ErrorCode::kNotFound) return environments;
    return tl::unexpected<Error>(owner.error());
  }
  HEADRACE_ASSIGN(const auto text, ReadRegularFile(File(), kLargestFile));
  try {
    const auto json = ordered_json::parse(text);
    if (json.at("version") != 1)
      return Fail(ErrorCode::kDataLoss, "{}: found version {}, wanted 1", File(), json.at("version").dump());
    for (const auto& one : json.at("environments")) environments.push_back(Decode(one));
  } catch (const ordered_json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "{}: {}", File(), error.what());
  }
  return environments;
}

Result<Descriptor> PythonEnvironments::Lock() const {
  HEADRACE_TRY(MakeDirectories(directory_));
  struct stat above {};
  const auto data_dir = std::filesystem::path(directory_).parent_path().string();
  if (::stat(data_dir.c_str(), &above) != 0 || above.st_uid != ::geteuid())
    return Fail(ErrorCode::kFailedPrecondition,
                "the data directory {} belongs to the user with the id {}: do it as that user (sudo -u)", data_dir,
                above.st_uid);
  const auto path = directory_ + "/lock";
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be opened: {}", path, std::strerror(errno));
  if (!LockExclusively(lock.get()))
    return Fail(ErrorCode::kFailedPrecondition, "another process changes {} now: try again when it has ended", File());
  return lock;
}

Status PythonEnvironments::Write(const std::vector<PythonEnvironment>& environments) const {
  ordered_json list = ordered_json::array();
  for (const auto& one : environments)
    list.push_back(
        {{"name", one.name}, {"framework", one.framework}, {"interpreter", one.interpreter}, {"made", one.made}});
  return WriteFileAtomically(File(), ordered_json{{"version", 1}, {"environments", list}}.dump(2) + "\n");
}

}  // namespace headrace::jobs
