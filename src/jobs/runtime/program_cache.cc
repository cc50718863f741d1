#include "jobs/runtime/program_cache.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/runtime/compiler_reads.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLargestReads = size_t{16} << 20;

bool OthersMayWrite(mode_t mode) { return (mode & (S_IWGRP | S_IWOTH)) != 0; }

}  // namespace

Result<ProgramCache> ProgramCache::Open(const std::string& directory) {
  HEADRACE_TRY(MakeDirectories(directory));
  const Descriptor cache(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!cache || ::fstat(cache.get(), &status) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open the cache: {}", directory, std::strerror(errno));
  if (status.st_uid != ::geteuid())
    return Fail(ErrorCode::kFailedPrecondition,
                "the cache {} belongs to another user (found id {}, wanted {}): programs of it are not run", directory,
                status.st_uid, ::geteuid());
  HEADRACE_ASSIGN(const auto held, HeldDirectory::Open(directory));
  const auto programs = held.Examine("programs");
  const bool foreign =
      programs && (!S_ISDIR(programs->st_mode) || programs->st_uid != ::geteuid() || OthersMayWrite(programs->st_mode));
  if (OthersMayWrite(status.st_mode) || foreign) {
    if (::fchmod(cache.get(), 0700) != 0)
      return Fail(ErrorCode::kFailedPrecondition, "{}: cannot close the cache to other users: {}", directory,
                  std::strerror(errno));
    HEADRACE_TRY(held.Remove("programs"));
  }
  if (::mkdirat(held.descriptor(), "programs", 0700) != 0 && errno != EEXIST)
    return Fail(errno == ENOSPC ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
                "{}/programs: cannot create the directory: {}", directory, std::strerror(errno));
  HEADRACE_ASSIGN(auto opened, held.OpenDirectory("programs"));
  return ProgramCache(std::move(opened));
}

std::optional<std::string> ProgramCache::Find(const std::string& key) const {
  const auto program = programs_.Examine(key + "/program");
  if (!program || !S_ISREG(program->st_mode) || (program->st_mode & S_IXUSR) == 0) return std::nullopt;
  const auto reads = programs_.Read(key + ".reads", kLargestReads);
  if (!reads || !CompilerReads::Unchanged(*reads)) return std::nullopt;
  return programs_.path() + "/" + key + "/program";
}

Result<Descriptor> ProgramCache::Lock(const std::string& key, const std::function<bool()>& cancelled) const {
  const auto name = key + ".lock";
  Descriptor file(::openat(programs_.descriptor(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open: {}", name, std::strerror(errno));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return Fail(ErrorCode::kFailedPrecondition, "{}: cannot lock: {}", name, std::strerror(errno));
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled while another job compiles the same program");
    ::usleep(20'000);
  }
  return file;
}

Result<HeldDirectory> ProgramCache::NewBuild(const std::string& key) const {
  HEADRACE_TRY(programs_.Remove(key + ".build"));
  return programs_.MakeDirectories(key + ".build");
}

void ProgramCache::RemoveBuild(const std::string& key) const {
  [[maybe_unused]] const auto removed = programs_.Remove(key + ".build");  // the next one removes it
}

// The reads come first: a program without them is none.
Result<std::string> ProgramCache::Keep(const std::string& key, const HeldDirectory& build,
                                       const std::string& reads) const {
  HEADRACE_ASSIGN(const auto program, build.OpenFile("program"));
  if (::fchmod(program.get(), 0755) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "cannot make the program executable: {}", std::strerror(errno));
  HEADRACE_TRY(programs_.Write(key + ".reads", reads, 0600));
  HEADRACE_ASSIGN(const auto entry, programs_.MakeDirectories(key));
  if (::renameat(build.descriptor(), "program", entry.descriptor(), "program") != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot move the program into the cache: {}", entry.path(),
                std::strerror(errno));
  return entry.path() + "/program";
}

}  // namespace headrace::jobs
