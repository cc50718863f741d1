#include "jobs/supervisor/mpi_launch.h"

#include <algorithm>

#include <poll.h>
#include <unistd.h>

#include "jobs/launch/launch_door.h"
#include "jobs/launch/mpi_command.h"
#include "jobs/launch/rank_process.h"
#include "jobs/process/find_program.h"
#include "jobs/process/process_tree.h"
#include "jobs/request/mpi_options.h"

namespace headrace::jobs {
namespace {

constexpr const char* kSeenDoors = "/opt/headrace/doors";
constexpr const char* kSeenRanks = "/opt/headrace/ranks";
constexpr int kLookMillis = 2;               // between looks for a door
constexpr UnixMillis kBeginMillis = 10'000;  // that the supervisor of another host has to take its lock
constexpr UnixMillis kOverMillis = 1'000;    // that mpirun has to end what runs when a rank has failed

constexpr const char* kMissing =
    "ClientError: sagemaker_mpi_enabled: there is no mpirun on this machine: install Open MPI (the package "
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

Result<Command> MpiLaunch::Prepare(Command program) {
  if (context_.job.hosts.size() > 1 && !context_.view.sandboxed())
    return Fail(ErrorCode::kFailedPrecondition,
                "ClientError: sagemaker_mpi_enabled on several instances needs a sandbox for each, and there is none "
                "here: {}",
                context_.job.no_bubblewrap_reason);
  if (IsFirst()) return PrepareFirst(std::move(program));
  HEADRACE_ASSIGN(auto door, MakeDoor(job_.doors(), context_.job.current_host));
  program.arguments = {context_.view.init(), "--door"};
  program.more_descriptors = {door.get()};
  doors_.push_back(std::move(door));
  return program;
}

Result<Command> MpiLaunch::PrepareFirst(Command program) {
  const auto& mpi = *context_.job.request.mpi;
  auto custom = SplitMpiOptions(mpi.custom_options);
  if (!custom)
    return Fail(ErrorCode::kInvalidArgument, "sagemaker_mpi_custom_mpi_options: {}", custom.error().message());
  const auto mpirun = FindProgram("mpirun");
  if (!mpirun) return Fail(ErrorCode::kFailedPrecondition, "{}", kMissing);
  context_.reporter.ExpectRanks(mpi.processes,
                                RankTags(context_.job.hosts, PlacesRanksInOrder(*custom) ? mpi.processes_per_host : 0));
  HEADRACE_TRY(WatchDoors());
  auto words = MpirunWords({.mpirun = *mpirun,
                            .hosts = context_.job.hosts,
                            .processes_per_host = mpi.processes_per_host,
                            .processes = mpi.processes,
                            .interface = "lo",
                            .init = context_.view.init(),
                            .doors = seen_doors_,
                            .ranks = seen_ranks_,
                            .custom_options = std::move(*custom)});
  program.arguments.insert(program.arguments.begin(), std::make_move_iterator(words.begin()),
                           std::make_move_iterator(words.end()));
  return program;
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

// While mpirun still starts ranks it is asked itself: there is nothing to save yet.
std::vector<pid_t> MpiLaunch::ToAsk(std::vector<pid_t> processes) const {
  auto ranks = TreesOf(processes, kRankProcessName);
  if (IsFirst()) return ranks.empty() ? processes : ranks;
  const auto doors = TreesOf(processes, kDoorProcessName);
  for (const pid_t pid : processes)  // the door itself, not what it has started: mpirun's daemon ends with mpirun
    if (!doors.empty() && pid == doors.front()) ranks.push_back(pid);
  return ranks;
}

bool MpiLaunch::IsOver() {
  if (!IsFirst()) return false;
  const auto now = context_.steady.Now();
  if (failed_since_ == 0 && FirstFailure()) failed_since_ = now;
  return failed_since_ != 0 && now - failed_since_ > kOverMillis;
}

std::optional<RankEnd> MpiLaunch::FirstFailure() const {
  if (!IsFirst()) return std::nullopt;
  return jobs::FirstFailure(ReadRankRecords(job_.ranks(), context_.job.request.mpi->processes));
}

}  // namespace headrace::jobs
