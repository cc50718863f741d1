#include "jobs/training/local_executor.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "jobs/limits/cgroup.h"
#include "jobs/limits/disk_watch.h"
#include "jobs/process/detached.h"
#include "jobs/process/find_program.h"
#include "jobs/runtime/installation.h"
#include "jobs/runtime/rendezvous.h"
#include "jobs/sandbox/system_view.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBeginMillis = 10'000;  // that a supervisor has to take its lock
// A log is on the disk three times for a while: as it came, as lines, and as events.
constexpr uint64_t kLogPartOfFree = 16, kLeastLogBytes = uint64_t{64} << 10;

// Of ours, in the place of what SageMaker's containers have installed.
constexpr const char* kOwnPackages[] = {"sagemaker_tensorflow", "sagemaker_training", "horovod"};

// Secrets are in it: nobody else may read it, not even for an instant. The supervisor reads it at its start, and none
// outlives a crash of the machine: it is not waited for until it is on the disk.
Status WriteDescription(const HostDirectory& directory, const JobDescription& description) {
  std::error_code ignored;
  fs::remove(directory.description(), ignored);
  return WriteBriefly(directory.description(), ToJson(description), 0600);
}

// A supervisor makes this directory when it has begun, with its lock in its hands.
bool HasBegun(const HostDirectory& directory, int attempt) { return fs::exists(directory.attempt(attempt)); }

// What a program outside of /usr needs to be seen: /opt/gcc-13 for /opt/gcc-13/bin/g++. "" for others.
std::string PrefixOf(const std::string& program) {
  const auto found = FindProgram(program);
  std::error_code failed;
  const auto real = found ? fs::canonical(*found, failed) : fs::path();
  const auto prefix = real.parent_path().parent_path();
  const bool seen = prefix.empty() || prefix == prefix.root_path() || prefix.string().starts_with("/usr");
  return failed || seen ? "" : prefix.string();
}

// Of two limits, of which 0 is none.
uint64_t Smaller(uint64_t one, uint64_t other) {
  return one == 0 || other == 0 ? std::max(one, other) : std::min(one, other);
}

// Supervisors and sandboxes have working directories of their own.
LocalExecutorOptions WithAbsolutePaths(LocalExecutorOptions options) {
  options.data_dir = fs::absolute(options.data_dir).lexically_normal();
  for (auto& path : options.read_only_paths) path = fs::absolute(path).lexically_normal();
  return options;
}

}  // namespace

LocalExecutor::LocalExecutor(LocalExecutorOptions options) : options_(WithAbsolutePaths(std::move(options))) {}

JobDirectory LocalExecutor::JobOf(const HostKey& key) const {
  return JobDirectory(options_.data_dir + "/jobs/" + key.account + "/" + key.job);
}

HostDirectory LocalExecutor::DirectoryOf(const HostKey& key) const { return JobOf(key).Host(key.host); }

Status LocalExecutor::Open() {
  const auto installation = FindInstallation(options_.headrace_binary);
  for (const auto& [program, use] : {std::pair{installation.init, "starts every program of a job"},
                                     {installation.supervisor, "runs every host of a job"}})
    if (::access(program.c_str(), X_OK) != 0)
      return Fail(ErrorCode::kFailedPrecondition,
                  "this installation of Headrace is not whole: {} is missing, which {}; install it again", program,
                  use);
  (void)options_.machine->sandbox();  // the log says at once when there is none
  Cgroup::PrepareMachine();
  return {};
}

Status LocalExecutor::Fits(const std::vector<InstanceSize>& hosts) const {
  const int all = options_.machine->cores().for_jobs();
  if (hosts.size() <= static_cast<size_t>(all)) return {};
  return Fail(
      ErrorCode::kFailedPrecondition,
      "InstanceCount: found {}, and training jobs have {} cores here, of which each host takes one at least: give "
      "fewer instances, or let more of them share this machine (the server's setting job-cpus)",
      hosts.size(), all);
}

Result<std::optional<std::vector<HostPlace>>> LocalExecutor::Reserve(const JobKey& job,
                                                                     const std::vector<InstanceSize>& hosts) {
  HEADRACE_TRY(Fits(hosts));
  const int all = options_.machine->cores().for_jobs();
  auto leases = options_.machine->cores().Take(CoresOfHosts(hosts, all));
  if (!leases) return std::optional<std::vector<HostPlace>>();
  std::vector<HostPlace> places;
  for (const auto& lease : *leases) places.push_back(lease.places());
  const std::lock_guard lock(mutex_);
  rooms_[job] = std::move(*leases);
  return std::optional(std::move(places));
}

void LocalExecutor::Restore(const JobKey& job, const std::vector<InstanceSize>& hosts,
                            const std::vector<HostPlace>& places) {
  Release(job);
  const auto counts = CoresOfHosts(hosts, options_.machine->cores().for_jobs());
  std::vector<CoreLease> leases;
  for (size_t i = 0; i < counts.size(); ++i)
    leases.push_back(options_.machine->cores().Retake(i < places.size() ? places[i] : HostPlace(), counts[i]));
  const std::lock_guard lock(mutex_);
  rooms_[job] = std::move(leases);
}

void LocalExecutor::Release(const JobKey& job) {
  const std::lock_guard lock(mutex_);
  rooms_.erase(job);
  if (const auto ports = ports_.extract(job)) options_.machine->ports().GiveBack(ports.mapped());
}

std::string LocalExecutor::Wanted(const std::vector<InstanceSize>& hosts) const {
  const int all = options_.machine->cores().for_jobs();
  const auto counts = CoresOfHosts(hosts, all);
  return fmt::format("{} of this machine's {} cores", std::accumulate(counts.begin(), counts.end(), 0), all);
}

Status LocalExecutor::Start(const HostStart& start) {
  const auto directory = DirectoryOf(start.key);
  if (HasBegun(directory, start.key.attempt) || Alive(start.key)) return {};
  HEADRACE_TRY(MakeDirectories(directory.path()));
  JobDescription description = start.description;
  DescribeMachine(start.key, description);
  HEADRACE_TRY(DescribePorts(start.key, description));
  DescribeLimits(start.key, description);
  HEADRACE_TRY(WriteDescription(directory, description));
  const auto supervisor = FindInstallation(options_.headrace_binary).supervisor;
  HEADRACE_TRY(StartDetached({supervisor, JobOf(start.key).path(), start.key.host}, directory.output()));
  const std::lock_guard lock(mutex_);
  started_[start.key] = options_.steady->Now();
  return {};
}

void LocalExecutor::DescribeMachine(const HostKey& key, JobDescription& description) {
  const auto& sandbox = options_.machine->sandbox();
  description.bubblewrap = sandbox.has_value();
  if (!sandbox) description.no_bubblewrap_reason = sandbox.error().message();
  description.hidden = {options_.data_dir};
  const auto installation = FindInstallation(options_.headrace_binary);
  description.include_dir = installation.include_dir;
  description.library_dir = installation.library_dir;
  description.cmake_dir = installation.cmake_dir;
  description.mpi_include_dir = installation.mpi_include_dir;
  description.init_program = installation.init;
  description.headrace = options_.headrace_binary;
  description.cache_dir = options_.data_dir + "/cache/" + key.account;
  DescribePython(installation, description);
  description.compiler = options_.compiler;
  auto& seen = description.read_only;
  seen = options_.read_only_paths;
  if (!options_.headrace_binary.starts_with("/usr/")) seen.push_back(options_.headrace_binary);
  if (auto prefix = PrefixOf(options_.compiler); !prefix.empty()) seen.push_back(std::move(prefix));
  for (const auto& path :
       {installation.include_dir, installation.library_dir, installation.cmake_dir, installation.mpi_include_dir})
    if (!path.empty() && !path.starts_with("/usr/")) seen.push_back(path);
}

void LocalExecutor::DescribePython(const Installation& installation, JobDescription& description) {
  auto chosen = options_.machine->interpreters().For(description.request.algorithm.training_image);
  auto& python = description.python;
  if (chosen.interpreter.program.empty()) return;
  python.program = chosen.interpreter.program;
  python.version = chosen.interpreter.version;
  python.stamp = StampOf(chosen.interpreter);
  python.described = Described(chosen);
  python.remark = std::move(chosen.remark);
  python.places = std::move(chosen.interpreter.places);
  python.paths = std::move(chosen.interpreter.paths);
  // Of the data directory nothing is seen but environments that were made there, wherever an interpreter says it lies.
  std::erase_if(python.paths, [this](const std::string& path) {
    return IsBelow(path, options_.data_dir) && !path.starts_with(options_.data_dir + "/python/");
  });
  std::vector<std::string> packages(std::begin(kOwnPackages), std::end(kOwnPackages));
  if (description.request.rendezvous == Rendezvous::kParameterServers) packages.push_back("headrace_parameter_server");
  for (const auto& package : packages) {
    auto directory = installation.python_dir + "/" + package;
    if (!chosen.interpreter.Has(package) && fs::is_directory(directory + "/" + package))
      python.packages.push_back(std::move(directory));
  }
}

Status LocalExecutor::DescribePorts(const HostKey& key, JobDescription& description) {
  const auto count = PortsFor(description.request.rendezvous, description.hosts.size());
  if (count == 0) return {};
  const auto file = JobOf(key).ports(key.attempt);
  if (const auto told = ReadFile(file)) {
    std::istringstream numbers(*told);
    description.ports.assign(std::istream_iterator<int>(numbers), {});
    return {};
  }
  const std::lock_guard lock(mutex_);
  const auto given_before = ports_.extract({key.account, key.job});  // to an earlier attempt
  if (given_before) options_.machine->ports().GiveBack(given_before.mapped());
  description.ports = options_.machine->ports().Take(count);
  if (description.ports.empty())
    return Fail(ErrorCode::kResourceExhausted, "there are no {} free ports on this machine for the hosts of the job",
                count);
  ports_[{key.account, key.job}] = description.ports;
  return WriteFileAtomically(file, fmt::format("{}\n", fmt::join(description.ports, " ")));
}

void LocalExecutor::DescribeLimits(const HostKey& key, JobDescription& description) {
  const auto size =
      SizeOfInstance(description.request.resources.GroupOf(key.host).instance_type).value_or(InstanceSize{});
  const int all = options_.machine->cores().for_jobs();
  description.cpus = CoresOf(key, description);
  const uint64_t hosts = std::max<size_t>(description.hosts.size(), 1);  // they share what one job may have at most
  description.memory_bytes =
      Smaller(Smaller(size.memory_bytes, options_.memory_bytes), options_.machine->most_memory_of_one() / hosts);
  const auto cores = static_cast<uint64_t>(size.cpus == 0 ? all : std::min(size.cpus, all));
  description.tasks = options_.tasks != 0 ? options_.tasks : TasksFor(cores);
  description.disk_bytes = Smaller(description.volume_bytes(), options_.disk_bytes);
  const auto part = std::max(FreeBytes(options_.data_dir) / kLogPartOfFree / hosts, kLeastLogBytes);
  description.log_bytes = Smaller(options_.log_bytes, part);
}

std::vector<int> LocalExecutor::CoresOf(const HostKey& key, const JobDescription& description) {
  const std::lock_guard lock(mutex_);
  const auto room = rooms_.find({key.account, key.job});
  const auto& hosts = description.hosts;
  const auto index = static_cast<size_t>(std::find(hosts.begin(), hosts.end(), key.host) - hosts.begin());
  if (room == rooms_.end() || index >= room->second.size()) return {};
  return room->second[index].cores();
}

bool LocalExecutor::Alive(const HostKey& key) {
  const auto directory = DirectoryOf(key);
  const bool begun = HasBegun(directory, key.attempt);  // before its lock is looked at: it takes that before it begins
  return directory.SupervisorAlive() || (!begun && MayBegin(key));
}

bool LocalExecutor::MayBegin(const HostKey& key) {
  const std::lock_guard lock(mutex_);
  const auto started = started_.find(key);
  return started != started_.end() && options_.steady->Now() - started->second < kBeginMillis;
}

void LocalExecutor::Stop(const HostKey& key, std::string_view why) {
  Log(LogLevel::kError, "job {}: {} is ended: {}", key.job, key.host, why);
  if (!DirectoryOf(key).KillSupervisor())
    Log(LogLevel::kError, "job {}: the supervisor process of {} does not die", key.job, key.host);
  Tidy();  // its job's processes, where nothing else has ended them
  Forget(key);
}

void LocalExecutor::Tidy() { Cgroup::RemoveLeft(); }

void LocalExecutor::Forget(const HostKey& key) {
  const std::lock_guard lock(mutex_);
  started_.erase(key);
}

std::vector<int> CoresOfHosts(const std::vector<InstanceSize>& hosts, int all) {
  std::vector<int> counts;
  int64_t sum = 0;
  for (const auto& host : hosts) {
    counts.push_back(host.cpus == 0 ? all : std::min(host.cpus, all));
    sum += counts.back();
  }
  const auto number = static_cast<int64_t>(hosts.size());
  if (sum <= all) return counts;
  // One for each, and what is left in proportion.
  for (int& count : counts)
    count = 1 + static_cast<int>((count - 1) * std::max<int64_t>(all - number, 0) / std::max<int64_t>(sum - number, 1));
  return counts;
}

}  // namespace headrace::jobs
