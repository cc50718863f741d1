#include "jobs/runtime/cache_directory.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::jobs {
namespace {

bool OthersMayWrite(mode_t mode) { return (mode & (S_IWGRP | S_IWOTH)) != 0; }

}  // namespace

Result<HeldDirectory> OpenCacheDirectory(const std::string& cache_path, const std::string& name) {
  HEADRACE_TRY(MakeDirectories(cache_path));
  const Descriptor cache(::open(cache_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!cache || ::fstat(cache.get(), &status) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open the cache: {}", cache_path, std::strerror(errno));
  if (status.st_uid != ::geteuid())
    return Fail(ErrorCode::kFailedPrecondition,
                "the cache {} belongs to another user (found id {}, wanted {}): programs of it are not run", cache_path,
                status.st_uid, ::geteuid());
  HEADRACE_ASSIGN(const auto held, HeldDirectory::Open(cache_path));
  const auto inner = held.Examine(name);
  const bool foreign =
      inner && (!S_ISDIR(inner->st_mode) || inner->st_uid != ::geteuid() || OthersMayWrite(inner->st_mode));
  if (OthersMayWrite(status.st_mode) || foreign) {
    if (::fchmod(cache.get(), 0700) != 0)
      return Fail(ErrorCode::kFailedPrecondition, "{}: cannot close the cache to other users: {}", cache_path,
                  std::strerror(errno));
    HEADRACE_TRY(held.RemoveContents());  // all of it: what others may have written to is not to be told apart later
  }
  if (::mkdirat(held.descriptor(), name.c_str(), 0700) != 0 && errno != EEXIST)
    return Fail(errno == ENOSPC ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
                "{}/{}: cannot create the directory: {}", cache_path, name, std::strerror(errno));
  return held.OpenDirectory(name);
}

Result<Descriptor> LockKey(const HeldDirectory& directory, const std::string& key,
                           const std::function<bool()>& cancelled) {
  const auto name = key + ".lock";
  Descriptor file(::openat(directory.descriptor(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open: {}", name, std::strerror(errno));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return Fail(ErrorCode::kFailedPrecondition, "{}: cannot lock: {}", name, std::strerror(errno));
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled while another job makes the same for the cache");
    ::usleep(20'000);
  }
  return file;
}

}  // namespace headrace::jobs
