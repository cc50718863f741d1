#include "jobs/training/local_executor.h"

#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "jobs/limits/cgroup.h"
#include "jobs/process/detached.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBeginMillis = 10'000;  // that a supervisor has to take its lock

// Secrets are in it: nobody else may read it, not even for an instant.
Status WriteDescription(const JobDirectory& directory, const JobDescription& description) {
  std::error_code ignored;
  fs::remove(directory.description(), ignored);
  HEADRACE_ASSIGN(auto file, AtomicFile::Create(directory.description()));
  fs::permissions(file.temporary_path(), fs::perms::owner_read | fs::perms::owner_write, ignored);
  HEADRACE_TRY(file.Write(ToJson(description)));
  return file.Commit();
}

// A supervisor makes this directory when it has begun, with its lock in its hands.
bool HasBegun(const JobDirectory& directory, int attempt) { return fs::exists(directory.attempt(attempt)); }

}  // namespace

JobDirectory LocalExecutor::DirectoryOf(const HostKey& key) const {
  return JobDirectory(options_.jobs_directory + "/" + key.account + "/" + key.job);
}

Status LocalExecutor::Start(const HostStart& start) {
  const auto directory = DirectoryOf(start.key);
  if (HasBegun(directory, start.key.attempt) || Alive(start.key)) return {};
  HEADRACE_TRY(WriteDescription(directory, start.description));
  HEADRACE_TRY(
      StartDetached({options_.headrace_binary, "supervise", directory.path()}, directory.path() + "/supervisor.log"));
  const std::lock_guard lock(mutex_);
  started_[start.key] = options_.clock->Now();
  return {};
}

bool LocalExecutor::Alive(const HostKey& key) {
  const auto directory = DirectoryOf(key);
  const bool begun = HasBegun(directory, key.attempt);  // before its lock is looked at: it takes that before it begins
  return directory.SupervisorAlive() || (!begun && MayBegin(key));
}

bool LocalExecutor::MayBegin(const HostKey& key) {
  const std::lock_guard lock(mutex_);
  const auto started = started_.find(key);
  return started != started_.end() && options_.clock->Now() - started->second < kBeginMillis;
}

void LocalExecutor::Stop(const HostKey& key, std::string_view why) {
  Log(LogLevel::kError, "job {}: {} is ended: {}", key.job, key.host, why);
  if (!DirectoryOf(key).KillSupervisor())
    Log(LogLevel::kError, "job {}: the supervisor process of {} does not die", key.job, key.host);
  Cgroup::RemoveLeft();  // its job's processes, where nothing else has ended them
  Forget(key);
}

void LocalExecutor::Forget(const HostKey& key) {
  const std::lock_guard lock(mutex_);
  started_.erase(key);
}

}  // namespace headrace::jobs
