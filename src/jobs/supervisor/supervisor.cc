#include "jobs/supervisor/supervisor.h"

#include <csignal>
#include <optional>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "jobs/directory/doorbell.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/limits/job_limits.h"
#include "jobs/supervisor/entry_point.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/heartbeat.h"
#include "jobs/supervisor/host_files.h"
#include "jobs/supervisor/host_life.h"
#include "jobs/supervisor/job_context.h"
#include "jobs/supervisor/job_inputs.h"
#include "jobs/supervisor/job_outputs.h"
#include "jobs/supervisor/job_step.h"
#include "jobs/supervisor/mpi_launch.h"
#include "jobs/supervisor/pipe_channels.h"
#include "jobs/supervisor/program_run.h"
#include "jobs/supervisor/pulse.h"
#include "jobs/supervisor/reporter.h"

namespace headrace::jobs {
namespace {

volatile sig_atomic_t asked_by_signal = 0;

bool IsReason(const Error& error) {
  return error.message().starts_with("AlgorithmError: ") || error.message().starts_with("ClientError: ");
}

// Whose fault it is decides the class that clients match.
std::string Classify(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kDataLoss:
      return "ClientError: " + error.message();
    default:
      return "InternalServerError: " + error.message();
  }
}

// With a FailureReason for a message, or kUnavailable.
template <typename T>
Result<T> Classified(Result<T> result) {
  if (result || IsCancelled(result.error()) || IsReason(result.error())) return result;
  return Fail(result.error().code(), "{}", Classify(result.error()));
}

// What a host does in each phase (host_life.h). How it is done is in the files beside this one.
class Supervisor {
 public:
  Supervisor(const JobDescription& job, const JobDirectory& of_job, const HostDirectory& directory, Reporter& reporter)
      : job_(job),
        of_job_(of_job),
        directory_(directory),
        reporter_(reporter),
        limits_(job, directory),
        view_(job, directory),
        stop_(of_job, directory,
              job.deadline.wall != 0 ? job.deadline
                                     : Moment::Now().After(job.request.stopping.max_runtime_seconds * 1000),
              [] { return asked_by_signal != 0; }),
        context_{job, directory, clock_, steady_, reporter, limits_, view_, stop_},
        mpi_(context_, of_job) {}

  void Run() {
    heartbeat_.emplace(reporter_, steady_, job_.heartbeat_millis);
    while (life_.phase() != HostPhase::kEnded) life_.Take(Do(life_.phase()));
  }

 private:
  // Errors from here are FailureReasons as they stand, or kUnavailable.
  Status Do(HostPhase phase) {
    switch (phase) {
      case HostPhase::kMaking:
        return Classified(Make());
      case HostPhase::kStaging:
        return Classified(Stage());
      case HostPhase::kReadying:
        return Classified(Ready());
      case HostPhase::kRunning:
        return Classified(RunTheProgram());
      case HostPhase::kPacking:
        return Pack();
      case HostPhase::kEnding:
        SayTheEnd();
        break;
      case HostPhase::kEnded:
        break;
    }
    return {};
  }

  void SayTheEnd() {
    heartbeat_.reset();
    entry_.reset();
    const Status log = reporter_.status();
    const Status& outcome = life_.outcome();
    const auto end = life_.End({.log = log,
                                .out_of_disk = limits_.out_of_disk(),
                                .timed_out = stop_.timed_out(),
                                .stopped = stop_.stopped() || stop_.alone()});
    if (limits_.out_of_disk() || !log || (!outcome && outcome.error().code() == ErrorCode::kResourceExhausted))
      MakeRoom(directory_, job_.attempt);  // before the end is written: there may be no room for it
    reporter_.GoOn();
    SayPhases();
    reporter_.End(end, killed_from_outside_);
    RingDoorbell(of_job_.doorbell());
  }

  Status Make() {
    HEADRACE_TRY(view_.Check());
    if (job_.request.may_start_ranks()) mpi_.Show();
    HEADRACE_TRY(HostFiles(job_, directory_).Make());
    reporter_.SayLine(limits_.Described());
    if (job_.bubblewrap) return {};
    if (job_.request.network_isolation)
      return Fail(ErrorCode::kFailedPrecondition,
                  "ClientError: EnableNetworkIsolation needs a sandbox, and there is none here: {}",
                  job_.no_bubblewrap_reason);
    reporter_.Say(
        "warning: the job runs as a plain process, not in a sandbox, and can do what the server's user can: {}; "
        "/opt/ml is {}{}",
        job_.no_bubblewrap_reason, view_.ml(),
        view_.ml() == "/opt/ml" ? "" : ", where programs that name /opt/ml itself do not look: a sandbox would help");
    return {};
  }

  Status Stage() {
    reporter_.Phase(SecondaryStatus::kDownloading, "Downloading input data");
    HEADRACE_TRY(JobInputs(context_).Stage());
    return mpi_.FindDrivers();
  }

  Status Ready() {
    reporter_.Phase(SecondaryStatus::kTraining, "Downloading the training image");
    HEADRACE_ASSIGN(auto command, entry_.emplace(context_).Prepare());
    HEADRACE_ASSIGN(command_, mpi_.Prepare(std::move(command)));
    return {};
  }

  Status RunTheProgram() {
    reporter_.Phase(SecondaryStatus::kTraining, "Training image download completed. Training in progress.");
    HEADRACE_TRY(MarkTenantsProcess(context_));
    if (stop_.Requested()) return Fail(ErrorCode::kUnavailable, "stopped");
    RunOptions options = LimitsOf(context_);
    options.on_stopping = [this] {
      if (!stop_.requested() || stop_.alone()) return;
      reporter_.Phase(SecondaryStatus::kStopping, stop_.timed_out()
                                                      ? "MaxRuntimeInSeconds is over: stopping the training job"
                                                      : "Stopping the training job");
    };
    PipeChannels pipes(job_, directory_, reporter_, clock_, steady_);
    HEADRACE_TRY(pipes.Start());
    options.failed_meanwhile = [&pipes] { return pipes.Watch(); };
    if (mpi_.starts_ranks()) {
      options.over = [this] { return mpi_.IsOver(); };
      options.to_ask = [this](std::vector<pid_t> processes) { return mpi_.ToAsk(std::move(processes)); };
    }
    reporter_.Started();
    HEADRACE_ASSIGN(program_, RunProgram(view_.Wrap(std::move(command_)), true, options, reporter_, steady_));
    mpi_.Close();
    pipes.Stop();
    limits_.Note(program_);
    reporter_.Exit(program_.exit_code, program_.signal, program_.peak_bytes, program_.out_of_memory);
    if (program_.killed && !stop_.alone())
      reporter_.Say("the program did not end within {} s of SIGTERM and was killed", job_.stop_grace_seconds);
    return {};
  }

  Status Pack() {
    const ProgramEnd& end = program_;
    const bool failed = !end.succeeded() && !stop_.requested();
    reporter_.Phase(SecondaryStatus::kUploading, "Uploading generated training model");
    if (limits_.out_of_disk()) return Fail(ErrorCode::kFailedPrecondition, "{}", end.failure);
    JobOutputs outputs(context_);
    Status packed;  // kUnavailable: it took too long for a job that is to end
    if (!failed) packed = Classified(outputs.Pack("model", "model"));
    if (packed) packed = Classified(outputs.Pack("output/data", "output"));
    if (!failed && end.failure.empty()) return packed;
    if (!packed) reporter_.Say("the output could not be packed: {}", packed.error().message());
    return Fail(ErrorCode::kFailedPrecondition, "{}", Reason(end, outputs.FailureFile()));
  }

  std::string Reason(const ProgramEnd& end, std::string failure_file) {
    std::optional<RankEnd> rank;
    if (mpi_.starts_ranks()) rank = mpi_.CauseOfFailure();
    if (WasKilledBy(SIGTERM, rank)) rank.reset();  // of a failure that no guard could write down, mpirun tells
    killed_from_outside_ = WasKilledBy(SIGKILL, rank) && !end.out_of_memory && end.failure.empty();
    auto lines = rank ? reporter_.LastLinesOf(rank->rank) : reporter_.LastLines();
    if (lines.empty()) lines = reporter_.LastLines();
    return FailureReason({.end = end,
                          .failure_file = std::move(failure_file),
                          .last_lines = std::move(lines),
                          .image = job_.request.algorithm.training_image,
                          .memory_limit = job_.memory_bytes,
                          .instance_type = job_.request.resources.GroupOf(job_.current_host).instance_type,
                          .host = job_.hosts.size() > 1 ? job_.current_host : "",
                          .rank = rank});
  }

  void SayPhases() {
    std::string text;
    for (const auto& [name, millis] : reporter_.PhaseTimes())
      text += fmt::format("{}{} {} ms", text.empty() ? "" : ", ", name, millis);
    if (!text.empty()) reporter_.Say("phases: {}", text);
  }

  const JobDescription& job_;
  const JobDirectory& of_job_;
  const HostDirectory& directory_;
  Reporter& reporter_;
  SystemClock clock_;
  BootClock steady_;
  JobLimits limits_;
  JobView view_;
  StopRequest stop_;
  const JobContext context_;
  MpiLaunch mpi_;
  HostLife life_;
  std::optional<Heartbeat> heartbeat_;
  std::optional<EntryPoint> entry_;
  Command command_;                   // once it is ready
  ProgramEnd program_;                // once it has run
  bool killed_from_outside_ = false;  // a rank, and no limit of the job's did it
};

void Detach() {
  ::setsid();
  ::umask(022);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action {};
  action.sa_handler = [](int) { asked_by_signal = 1; };
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);
  for (const int signal : {SIGPIPE, SIGHUP}) ::signal(signal, SIG_IGN);
}

}  // namespace

Status Supervise(const std::string& path, const std::string& host) {
  const JobDirectory of_job(path);
  const auto directory = of_job.Host(host);
  HEADRACE_ASSIGN(const auto lock, directory.Lock());
  Detach();
  HEADRACE_ASSIGN(const auto text, ReadFile(directory.description()));
  HEADRACE_ASSIGN(const auto job, ParseJobDescription(text));
  const SystemClock clock;
  const BootClock steady;
  const Pulse pulse(directory.pulse());
  HEADRACE_ASSIGN(const auto reporter, Reporter::Create(directory, job.attempt, clock, steady, job.log_bytes));
  Supervisor(job, of_job, directory, *reporter).Run();
  return {};
}

}  // namespace headrace::jobs
