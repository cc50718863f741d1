#include "jobs/supervisor/mpi_launch.h"

#include <algorithm>

#include <poll.h>
#include <unistd.h>

#include "jobs/launch/launch_door.h"
#include "jobs/launch/mpi_command.h"
#include "jobs/launch/rank_process.h"
#include "jobs/launch/sdk_drivers.h"
#include "jobs/process/find_program.h"
#include "jobs/process/process_tree.h"
#include "jobs/request/mpi_options.h"

namespace headrace::jobs {
namespace {

constexpr const char* kSeenDoors = "/opt/headrace/doors";
constexpr const char* kSeenRanks = "/opt/headrace/ranks";
constexpr int kLookMillis = 2;               // between looks for a door
constexpr UnixMillis kBeginMillis = 10'000;  // that the supervisor of another host has to take its lock
constexpr UnixMillis kOverMillis = 1'500;    // that a guard and mpirun have to end what runs when a rank has failed

constexpr const char* kMissing =
    "ClientError: the job's ranks cannot be started: there is no mpirun on this machine: install Open MPI (the package "
    "openmpi-bin)";

// Whether the options leave it at that: the first host's ranks first.
bool PlacesRanksInOrder(const std::vector<std::string>& options) {
  constexpr std::string_view kWords[] = {"map-by", "rank-by", "rankfile", "bynode", "ppr", "rmaps", "rf"};
  return std::none_of(options.begin(), options.end(), [&](const std::string& option) {
    return std::any_of(std::begin(kWords), std::end(kWords),
                       [&](std::string_view word) { return option.find(word) != std::string::npos; });
  });
}

}  // namespace

bool IsLaunched(const JobDescription& job) {
  return job.request.mpi && (job.hosts.size() > 1 || job.request.mpi->processes > 1);
}

void MpiLaunch::Show() {
  seen_ranks_ = context_.view.Show(job_.ranks(), kSeenRanks, true);
  if (IsFirst()) seen_doors_ = context_.view.Show(job_.doors(), kSeenDoors, false);
}

Status MpiLaunch::FindDrivers() {
  if (how_ || !context_.job.request.may_start_ranks()) return {};
  HEADRACE_ASSIGN(const auto ml, context_.directory.OpenMl());
  if (!context_.job.ports.empty()) HEADRACE_TRY(MoveSdkPort(ml, context_.job.ports.front()));
  HEADRACE_ASSIGN(how_, MpiOfSdkDrivers(ml, static_cast<int>(context_.job.hosts.size())));
  by_drivers_ = how_.has_value();
  if (!by_drivers_) return {};
  context_.reporter.Say("sm_drivers/distributed_drivers/mpi_utils.py: Headrace's own starts the ranks, without sshd");
  return TakeOverSdkDrivers(ml);
}

bool MpiLaunch::starts_ranks() const { return how_ && (context_.job.hosts.size() > 1 || how_->processes > 1); }

Status MpiLaunch::CheckSandbox() const {
  if (context_.job.hosts.size() == 1 || context_.view.sandboxed()) return {};
  return Fail(ErrorCode::kFailedPrecondition,
              "ClientError: MPI on several instances needs a sandbox for each, and there is none here: {}",
              context_.job.no_bubblewrap_reason);
}

Result<Command> MpiLaunch::Prepare(Command program) {
  std::vector<std::string> words;
  if (starts_ranks()) {
    HEADRACE_TRY(CheckSandbox());
    if (IsFirst()) {
      HEADRACE_ASSIGN(words, Mpirun());
    } else {
      HEADRACE_TRY(OpenDoor());
      program.more_descriptors = {doors_.front().get()};
    }
  }
  if (by_drivers_)
    program.environment[kSdkLaunchVariable] = SdkLaunch(words, DoorCommand());
  else if (starts_ranks() && !IsFirst())
    program.arguments = DoorCommand();
  else
    program.arguments.insert(program.arguments.begin(), words.begin(), words.end());
  return program;
}

Status MpiLaunch::OpenDoor() {
  HEADRACE_ASSIGN(auto door, MakeDoor(job_.doors(), context_.job.current_host));
  doors_.push_back(std::move(door));
  return {};
}

// The words before the program, once the other hosts can be reached.
Result<std::vector<std::string>> MpiLaunch::Mpirun() {
  auto custom = SplitMpiOptions(how_->custom_options);
  if (!custom)
    return Fail(ErrorCode::kInvalidArgument, "{}: {}",
                by_drivers_ ? "mpi_additional_options" : "sagemaker_mpi_custom_mpi_options", custom.error().message());
  const auto mpirun = FindProgram("mpirun");
  if (!mpirun) return Fail(ErrorCode::kFailedPrecondition, "{}", kMissing);
  context_.reporter.ExpectRanks(
      how_->processes, RankTags(context_.job.hosts, PlacesRanksInOrder(*custom) ? how_->processes_per_host : 0));
  HEADRACE_TRY(WatchDoors());
  return MpirunWords({.mpirun = *mpirun,
                      .hosts = context_.job.hosts,
                      .processes_per_host = how_->processes_per_host,
                      .processes = how_->processes,
                      .interface = "lo",
                      .init = context_.view.init(),
                      .doors = seen_doors_,
                      .ranks = seen_ranks_,
                      .custom_options = std::move(*custom)});
}

Status MpiLaunch::WatchDoors() {
  for (size_t i = 1; i < context_.job.hosts.size(); ++i) {
    HEADRACE_ASSIGN(auto door, WaitForDoor(context_.job.hosts[i]));
    doors_.push_back(std::move(door));
  }
  return {};
}

// A host that is still staging takes its time; one that has gone does not come back.
Result<Descriptor> MpiLaunch::WaitForDoor(const std::string& host) const {
  const auto directory = job_.Host(host);
  auto seen = context_.steady.Now();
  while (true) {
    auto door = WatchDoor(job_.doors(), host);
    if (door || door.error().code() != ErrorCode::kNotFound) return door;
    if (context_.stop.Requested()) return Fail(ErrorCode::kUnavailable, "stopped");
    const auto now = context_.steady.Now();
    if (directory.SupervisorAlive()) seen = now;
    if (now - seen > kBeginMillis)
      return Fail(ErrorCode::kFailedPrecondition, "{} has ended before its ranks could be started", host);
    ::poll(nullptr, 0, kLookMillis);
  }
}

// While ranks are still being started it is all processes: there is nothing to save yet.
std::vector<pid_t> MpiLaunch::ToAsk(std::vector<pid_t> processes) const {
  auto ranks = TreesOf(processes, kRankProcessName);
  if (IsFirst()) return ranks.empty() ? processes : ranks;
  const auto doors = TreesOf(processes, kDoorProcessName);
  if (by_drivers_ && doors.empty()) return processes;
  for (const pid_t pid : processes)  // the door itself, not what it has started: mpirun's daemon ends with mpirun
    if (!doors.empty() && pid == doors.front()) ranks.push_back(pid);
  return ranks;
}

bool MpiLaunch::IsOver() {
  if (!IsFirst()) return false;
  const auto now = context_.steady.Now();
  if (failed_since_ == 0 && how_ && jobs::FirstFailure(ReadRankRecords(job_.ranks(), how_->processes)))
    failed_since_ = now;
  return failed_since_ != 0 && now - failed_since_ > kOverMillis;
}

std::optional<RankEnd> MpiLaunch::CauseOfFailure() const {
  if (!IsFirst() || !how_) return std::nullopt;
  return jobs::CauseOfFailure(job_.ranks(), how_->processes);
}

}  // namespace headrace::jobs
