#include "jobs/supervisor/installed_packages.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "jobs/python/requirements_text.h"
#include "jobs/runtime/cache_directory.h"
#include "jobs/runtime/content_hash.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/job_step.h"
#include "jobs/supervisor/pip_failure.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestRequirements = size_t{1} << 20;
constexpr size_t kMostKept = 8;                            // of an account
constexpr UnixMillis kFresh = UnixMillis{7} * 86'400'000;  // then versions that nobody has pinned are looked for anew

bool IsPackageDirectory(const std::string& place) {
  const auto name = fs::path(place).filename();
  return name == "site-packages" || name == "dist-packages";
}

Status Link(const HeldDirectory& directory, const std::string& target, const char* name) {
  if (::symlinkat(target.c_str(), directory.descriptor(), name) == 0) return {};
  return Fail(ErrorCode::kFailedPrecondition, "{}/{}: cannot be made: {}", directory.path(), name,
              std::strerror(errno));
}

UnixMillis LastUse(const HeldDirectory& cache, const std::string& key) {
  const auto lock = cache.Examine(key + ".lock");
  return lock ? UnixMillis{lock->st_mtim.tv_sec} * 1000 + lock->st_mtim.tv_nsec / 1'000'000 : 0;
}

// Removes what has not been used for the longest time, unless a job has it.
void Prune(const HeldDirectory& cache, const std::string& keep) {
  auto keys = cache.List().value_or(std::vector<std::string>());
  std::erase_if(keys, [&](const std::string& name) { return name.ends_with(".lock") || name == keep; });
  std::sort(keys.begin(), keys.end(), [&](const std::string& one, const std::string& other) {
    return LastUse(cache, one) < LastUse(cache, other);
  });
  for (size_t i = 0; i + kMostKept <= keys.size(); ++i) {
    const auto lock = LockKey(cache, keys[i], [] { return true; });
    const auto entry = cache.OpenDirectory(keys[i]);
    if (lock && entry && ::flock(entry->descriptor(), LOCK_EX | LOCK_NB) == 0) (void)cache.Remove(keys[i]);
  }
}

}  // namespace

Status InstalledPackages::Prepare(const HeldDirectory& code, const std::map<std::string, std::string>& variables) {
  const auto requirements = code.Read("requirements.txt", kLargestRequirements);
  if (context_.view.sandboxed() && requirements && SaysAllOfItself(*requirements))
    return FindOrBuild(KeyOf(*requirements, variables), variables);
  HEADRACE_TRY(Build(variables));
  context_.view.Show(BuildDirectory(), context_.view.packages(), false);
  return {};
}

// All that decides on what pip installs, and a time after which it is asked again.
std::string InstalledPackages::KeyOf(const std::string& requirements,
                                     const std::map<std::string, std::string>& variables) const {
  const auto& python = context_.job.python;
  ContentHash hash;
  for (const auto& field : {std::string("requirements 1"), requirements, python.program, python.version, python.stamp})
    hash.AddField(field);
  hash.AddField(std::to_string(context_.clock.Now() / kFresh));
  for (const auto& [name, value] : variables)
    if (name.starts_with("PIP_")) hash.AddField(name + "=" + value);
  return hash.Hex();
}

Status InstalledPackages::FindOrBuild(const std::string& key, const std::map<std::string, std::string>& variables) {
  HEADRACE_ASSIGN(const auto cache, OpenCacheDirectory(context_.job.cache_dir, "requirements"));
  HEADRACE_ASSIGN(const auto lock, LockKey(cache, key, [this] { return context_.stop.Requested(); }));
  ::futimens(lock.get(), nullptr);
  auto entry = cache.OpenDirectory(key);
  if (entry) {
    context_.reporter.Say("the packages of requirements.txt are there from an earlier job");
  } else {
    HEADRACE_TRY(Build(variables));
    if (::renameat(AT_FDCWD, BuildDirectory().c_str(), cache.descriptor(), key.c_str()) != 0) {
      context_.view.Show(BuildDirectory(), context_.view.packages(), false);
      return {};
    }
    Prune(cache, key);
    entry = cache.OpenDirectory(key);
    if (!entry) return tl::unexpected<Error>(std::move(entry.error()));
  }
  ::flock(entry->descriptor(), LOCK_SH);
  context_.view.Show(context_.job.cache_dir + "/requirements/" + key, context_.view.packages(), false);
  in_use_ = std::move(*entry);
  return {};
}

Status InstalledPackages::Build(const std::map<std::string, std::string>& variables) const {
  HEADRACE_TRY(MakeEnvironment());
  return RunPip(variables);
}

// A virtual environment above the interpreter's own packages: pip sees those, leaves out what they satisfy, and touches
// none of them. It has no pip of its own, and nothing of the tenant's has run yet.
Status InstalledPackages::MakeEnvironment() const {
  const auto& python = context_.job.python;
  HEADRACE_TRY(RemoveTree(BuildDirectory()));
  HEADRACE_ASSIGN(const auto directory, HeldDirectory::Make(BuildDirectory()));
  std::error_code failed;
  const auto real = fs::canonical(python.program, failed);
  if (failed) return Fail(ErrorCode::kFailedPrecondition, "{}: {}", python.program, failed.message());
  HEADRACE_TRY(
      directory.Write("pyvenv.cfg", fmt::format("home = {}\ninclude-system-site-packages = false\nversion = {}\n",
                                                real.parent_path().string(), python.version)));
  HEADRACE_ASSIGN(const auto programs, directory.MakeDirectories("bin"));
  HEADRACE_TRY(Link(programs, python.program, "python"));
  const auto modules = "lib/python" + python.version.substr(0, python.version.rfind('.')) + "/site-packages";
  HEADRACE_ASSIGN(const auto packages, directory.MakeDirectories(modules));
  HEADRACE_TRY(Link(directory, modules, "modules"));
  std::string below;
  for (const auto& place : python.places)
    if (IsPackageDirectory(place)) below += fmt::format("import site; site.addsitedir('{}')\n", place);
  return packages.Write("headrace-below.pth", below);
}

Status InstalledPackages::RunPip(std::map<std::string, std::string> variables) const {
  context_.reporter.Phase(SecondaryStatus::kTraining, "Installing Python packages");
  for (const char* place : {"PIP_TARGET", "PIP_USER", "PIP_BREAK_SYSTEM_PACKAGES"}) variables.erase(place);
  Command command;
  command.arguments = {context_.view.packages() + "/bin/python", "-m", "pip", "install", "-r", "requirements.txt"};
  command.environment = std::move(variables);
  command.directory = context_.view.code();
  HEADRACE_ASSIGN(
      const auto end,
      RunStep(context_, context_.view.Wrap(std::move(command), {{BuildDirectory(), context_.view.packages(), true}})));
  if (end.succeeded()) return {};
  return Fail(
      ErrorCode::kInvalidArgument, "{}",
      Truncate("AlgorithmError: pip install -r requirements.txt failed: " + PipFailure(context_.reporter.LastLines()),
               kLongestFailureReason));
}

}  // namespace headrace::jobs
