#include "jobs/runtime/program_cache.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "jobs/runtime/cache_directory.h"
#include "jobs/runtime/compiler_reads.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLargestReads = size_t{16} << 20;

}  // namespace

Result<ProgramCache> ProgramCache::Open(const std::string& directory) {
  HEADRACE_ASSIGN(auto programs, OpenCacheDirectory(directory, "programs"));
  return ProgramCache(std::move(programs));
}

std::optional<std::string> ProgramCache::Find(const std::string& key) const {
  const auto program = programs_.Examine(key + "/program");
  if (!program || !S_ISREG(program->st_mode) || (program->st_mode & S_IXUSR) == 0) return std::nullopt;
  const auto reads = programs_.Read(key + ".reads", kLargestReads);
  if (!reads || !CompilerReads::Unchanged(*reads)) return std::nullopt;
  return programs_.path() + "/" + key + "/program";
}

Result<Descriptor> ProgramCache::Lock(const std::string& key, const std::function<bool()>& cancelled) const {
  return LockKey(programs_, key, cancelled);
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
