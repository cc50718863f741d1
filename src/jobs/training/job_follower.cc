#include "jobs/training/job_follower.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/log.h"
#include "jobs/directory/checkpoint_place.h"
#include "jobs/directory/shared_memory.h"
#include "jobs/request/member_effects.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/training/artifacts.h"
#include "jobs/training/host_descriptions.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Above twice the grace, for packing and storing, until a supervisor that has to end is ended.
constexpr int64_t kEndMillis = 10'000;

// Whose fault an error is, as FailureReason tells it.
JobEnd FailureOf(const Error& error) {
  const bool clients = error.code() == ErrorCode::kInvalidArgument || error.code() == ErrorCode::kNotFound ||
                       error.code() == ErrorCode::kFailedPrecondition;
  return JobEnd::Failed(
      Truncate((clients ? "ClientError: " : "InternalServerError: ") + error.message(), kLongestFailureReason));
}

bool IsStopping(const store::TrainingJob& job) { return TrainingStatusOf(job.status) == TrainingStatus::kStopping; }

std::string Message(const JobEnd& end) {
  if (end.status == TrainingStatus::kCompleted) return "Training job completed";
  if (end.secondary == SecondaryStatus::kMaxRuntimeExceeded)
    return "Training job stopped: MaxRuntimeInSeconds exceeded";
  return end.failed() ? "Training job failed" : "Training job stopped";
}

}  // namespace

bool NeedsNoCores(const IngestState& state, const TrainingRequest& request) {
  const bool ended = EndOfJob(state).has_value();
  if (state.attempt < request.retries) return ended && !MayGoBetterAgain(state);
  return ended || state.program_ended();
}

JobFollower::JobFollower(const TrainingOptions& options, Rubbish& rubbish, std::string account, std::string name,
                         std::function<bool()> leaving)
    : options_(options),
      executor_(*options.executor),
      account_(std::move(account)),
      name_(std::move(name)),
      directory_(options.data_dir + "/jobs/" + account_ + "/" + name_),
      rubbish_(rubbish),
      leaving_(std::move(leaving)) {}

Result<JobFollower::Progress> JobFollower::Step() {
  switch (life_.state()) {
    case FollowState::kBeginning:
      return Begin();
    case FollowState::kFollowing:
      return Follow();
    case FollowState::kEnded:
      return Settle();
    case FollowState::kConcluding:
      break;
  }
  return Conclude();
}

JobFollower::Progress JobFollower::Ends(const JobEnd& end) {
  life_.Final(end);
  return Progress::kWorked;
}

// The row says how far an earlier process has come; the directory which hosts were started.
Result<JobFollower::Progress> JobFollower::Begin() {
  store::TrainingJobs rows(*options_.database);
  HEADRACE_ASSIGN(const auto job, rows.Find(account_, name_));
  if (!job || store::IsTerminal(job->status)) return Progress::kDone;
  HEADRACE_ASSIGN(state_, ParseIngestState(job->state));
  auto request = ParseTrainingRequest(job->request);
  if (request) request_ = std::move(*request);
  HEADRACE_ASSIGN(objects_, options_.objects.Of(account_));
  HEADRACE_TRY(FindHosts());
  auto metrics = MetricMatcher::Compile(request_.algorithm.metric_definitions);
  if (!metrics) metrics = MetricMatcher::Compile({});
  std::vector<HostDirectory> directories;
  for (const auto& host : hosts_) directories.push_back(host.directory);
  reader_ = std::make_unique<SpoolReader>(*options_.database, *options_.clock, account_, name_, std::move(directories),
                                          std::move(*metrics));
  if (!request) return Ends(FailureOf(request.error()));
  if (!EndOfJob(state_)) {
    if (IsStopping(*job) && fs::exists(directory_.path())) HEADRACE_TRY(directory_.RequestStop());
    if (!SomeHostIsMissing()) {
      bell_ = std::make_unique<Doorbell>(directory_.doorbell());
    } else {
      if (state_.attempt == 0)
        HEADRACE_TRY(options_.database->Write([&](store::Connection& db) {
          return reader_->SayIn(db, state_, LinesOf(EffectsOfTrainingJob(request_.document)));
        }));
      if (const auto started = StartAttempt(*job); !started) return Ends(FailureOf(started.error()));
    }
  }
  life_.Runs();
  return Progress::kWorked;
}

Status JobFollower::FindHosts() {
  hosts_.clear();
  for (const auto& host : state_.hosts) {
    Host found{.directory = directory_.Host(host.name),
               .watch = SupervisorWatch(options_.hang_seconds * int64_t{1000},
                                        options_.stop_grace_seconds * int64_t{2000} + kEndMillis)};
    if (const auto& config = request_.checkpoints) {
      // A place that the job cannot have fails it when it is staged.
      const auto place = PlaceOfCheckpoints(config->local_path).value_or(CheckpointPlace{"checkpoints", true});
      found.checkpoints = std::make_unique<CheckpointSync>(*objects_, config->s3_uri, found.directory, place.below_host,
                                                           request_.resources.volume_bytes);
    }
    hosts_.push_back(std::move(found));
  }
  return {};
}

// Without the attempt's directory no supervisor has begun; should one begin late, it finds the lock taken.
bool JobFollower::SomeHostIsMissing() {
  for (size_t i = 0; i < hosts_.size(); ++i)
    if (!fs::exists(hosts_[i].directory.attempt(state_.attempt)) && !executor_.Alive(Key(i))) return true;
  return false;
}

// Hosts that run already are left as they are.
Status JobFollower::StartAttempt(const store::TrainingJob& job) {
  if (options_.may_run) HEADRACE_TRY(options_.may_run(account_));
  HEADRACE_TRY(PrepareDirectory());
  HEADRACE_ASSIGN(auto descriptions, HostDescriptions(options_, *objects_, directory_, request_).Make(job, state_));
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].checkpoints == nullptr || !descriptions[i].checkpoints) continue;
    std::vector<std::string> names;
    for (const auto& object : descriptions[i].checkpoints->objects) names.push_back(object.name);
    HEADRACE_TRY(hosts_[i].checkpoints->Restored(names));
  }
  // A stop that came before there was a directory to put it into.
  store::TrainingJobs rows(*options_.database);
  HEADRACE_ASSIGN(const auto now, rows.Find(account_, name_));
  if (now && IsStopping(*now)) HEADRACE_TRY(directory_.RequestStop());
  for (size_t i = 0; i < hosts_.size(); ++i) HEADRACE_TRY(executor_.Start({Key(i), std::move(descriptions[i])}));
  return {};
}

// What hosts have in common is new in each attempt, unless one of them runs already.
Status JobFollower::PrepareDirectory() {
  HEADRACE_TRY(MakeDirectories(directory_.path()));
  fs::permissions(directory_.path(), fs::perms::owner_all);
  bell_ = std::make_unique<Doorbell>(directory_.doorbell());
  for (const auto& host : hosts_) HEADRACE_TRY(MakeDirectories(host.directory.path()));
  bool runs = false;
  for (size_t i = 0; i < hosts_.size(); ++i)
    runs = runs || fs::exists(hosts_[i].directory.attempt(state_.attempt)) || executor_.Alive(Key(i));
  if (runs) return {};
  for (const auto& host : hosts_)
    if (host.directory.stop() != directory_.stop()) ::unlink(host.directory.stop().c_str());
  if (request_.may_start_ranks())
    for (const auto& path : {directory_.doors(), directory_.ranks()}) {
      HEADRACE_TRY(RemoveTree(path));
      HEADRACE_TRY(MakeDirectories(path));
    }
  return hosts_.size() > 1 ? MakeSharedMemory(directory_) : Status();
}

Result<JobFollower::Progress> JobFollower::Follow() {
  if (EndOfJob(state_)) {
    life_.HasRun(steady_.Now());
    return Progress::kWorked;
  }
  bool worked = false;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    HEADRACE_ASSIGN(const bool some, FollowHost(i));
    worked = worked || some;
  }
  HEADRACE_TRY(SyncCheckpoints(false));
  if (!worked) HEADRACE_TRY(NoteLostHosts());
  if (OthersHaveToEnd(state_)) HEADRACE_TRY(EndOthers());
  return worked || EndOfJob(state_) ? Progress::kWorked : Progress::kIdle;
}

Result<bool> JobFollower::FollowHost(size_t i) {
  auto& host = hosts_[i];
  host.alive = executor_.Alive(Key(i));  // before reading: what it wrote before it died is read
  HEADRACE_ASSIGN(const bool worked, reader_->Ingest(i, state_));
  if (host.alive) WatchSupervisor(i);
  return worked;
}

// One that is there, but does not run, or does not come to an end, holds its cores for ever.
void JobFollower::WatchSupervisor(size_t i) {
  auto& host = hosts_[i];
  const auto pulse = ReadFile(host.directory.pulse(), 256).value_or("");
  const bool has_to_end =
      directory_.StopRequested() || host.directory.StopRequested() || HasCome(state_.deadline, Moment::Now());
  const auto verdict = host.watch.Look(steady_.Now(), pulse, has_to_end);
  if (verdict == SupervisorWatch::Verdict::kWorks || host.killed != 0) return;
  host.killed = steady_.Now();
  host.why_killed = verdict == SupervisorWatch::Verdict::kHangs
                        ? fmt::format("gave no sign of life for {} s and was ended", options_.hang_seconds)
                        : "did not end in time and was ended";
  executor_.Stop(Key(i), "its supervisor " + host.why_killed);
}

// Those whose supervisors are gone, all that they have written is read, and none of it is an end.
Status JobFollower::NoteLostHosts() {
  const auto lost = [this](size_t i) {
    const bool given_up = hosts_[i].killed != 0 && steady_.Now() - hosts_[i].killed > kPartingMillis;
    return !state_.hosts[i].end && (!hosts_[i].alive || given_up);
  };
  bool any = false;
  for (size_t i = 0; i < hosts_.size(); ++i) any = any || lost(i);
  if (!any) return {};
  IngestState next = state_;
  store::TrainingJobs rows(*options_.database);
  const auto updated = rows.Update(account_, name_, [&](store::TrainingJob& job) -> Status {
    for (size_t i = 0; i < hosts_.size(); ++i)
      if (lost(i)) next.hosts[i].end = EndOfLostHost(job, i);
    job.state = ToJson(next);
    return {};
  });
  if (!updated) return tl::unexpected<Error>(updated.error());
  state_ = std::move(next);
  return {};
}

HostEnd JobFollower::EndOfLostHost(const store::TrainingJob& job, size_t i) const {
  HostEnd end{.how = {}, .time = options_.clock->Now(), .again = true};
  if (IsStopping(job)) {
    end.how = JobEnd::Stopped();
  } else if (HasCome(state_.deadline, Moment::Now())) {
    end.how = JobEnd::MaxRuntimeExceeded();
  } else {
    const auto said = ReadFile(hosts_[i].directory.output(), 4096).value_or("");
    const auto whose =
        hosts_.size() == 1 ? "the job's supervisor process" : "the supervisor process of " + state_.hosts[i].name;
    const auto& why = hosts_[i].why_killed;
    end.how =
        JobEnd::Failed(Truncate(fmt::format("InternalServerError: {} {}, and the program with it{}{}", whose,
                                            why.empty() ? "ended unexpectedly" : why, said.empty() ? "" : ": ", said),
                                kLongestFailureReason));
  }
  return end;
}

Status JobFollower::EndOthers() const {
  for (size_t i = 0; i < hosts_.size(); ++i)
    if (!state_.hosts[i].end && !hosts_[i].directory.StopRequested()) HEADRACE_TRY(hosts_[i].directory.RequestStop());
  return {};
}

// The last lines of the logs.
Status JobFollower::ReadTheRest() {
  for (size_t i = 0; i < hosts_.size(); ++i)
    while (true) {
      const auto more = reader_->Ingest(i, state_);
      if (!more && more.error().code() != ErrorCode::kResourceExhausted) return tl::unexpected<Error>(more.error());
      if (!more)
        Log(LogLevel::kWarning, "job {}: its last lines stay in its directory: {}", name_, more.error().message());
      if (!more || !*more) break;
    }
  return {};
}

// All hosts have ended. A supervisor that has said its last word still lives for a moment.
Result<JobFollower::Progress> JobFollower::Settle() {
  HEADRACE_TRY(ReadTheRest());
  HEADRACE_ASSIGN(const bool again, MayTryAgain());
  if (again) {
    bool alive = false;
    for (size_t i = 0; i < hosts_.size(); ++i) alive = alive || executor_.Alive(Key(i));
    if (!alive) return TryAgain();
    if (life_.AwaitsSupervisors(steady_.Now())) return Progress::kIdle;
  }
  return Ends(*EndOfJob(state_));  // this state is of jobs that have one
}

// Only what was none of the program's doing is tried again.
Result<bool> JobFollower::MayTryAgain() const {
  if (!MayGoBetterAgain(state_) || state_.attempt >= request_.retries || HasCome(state_.deadline, Moment::Now()))
    return false;
  for (size_t i = 0; i < hosts_.size(); ++i)
    if (hosts_[i].killed != 0 && executor_.Alive(Key(i))) return false;  // it does not even die
  store::TrainingJobs rows(*options_.database);
  HEADRACE_ASSIGN(const auto job, rows.Find(account_, name_));
  return job && !IsStopping(*job);
}

// The next attempt goes on from what this one has left.
Result<JobFollower::Progress> JobFollower::TryAgain() {
  if (auto synced = SyncCheckpoints(true); !synced) return Ends(FailureOf(synced.error()));
  store::TrainingJobs rows(*options_.database);
  const auto next = state_.NextAttempt();
  HEADRACE_ASSIGN(const auto updated, rows.Update(account_, name_, [&](store::TrainingJob& row) -> Status {
    store::MoveTo(row, Text(SecondaryStatus::kRestarting),
                  fmt::format("{}; attempt {} of {}", WhyAgain(), next.attempt + 1, request_.retries + 1),
                  options_.clock->Now());
    row.state = ToJson(next);
    return {};
  }));
  for (size_t i = 0; i < hosts_.size(); ++i) executor_.Forget(Key(i));
  state_ = next;
  for (auto& host : hosts_) {
    host.killed = 0;
    host.why_killed.clear();
  }
  if (auto started = StartAttempt(updated); !started) return Ends(FailureOf(started.error()));
  life_.Runs();
  return Progress::kWorked;
}

std::string JobFollower::WhyAgain() const {
  for (const auto& host : state_.hosts)
    if (host.end && host.end->again && host.end->how.failed()) {
      const auto& reason = host.end->how.reason;
      return hosts_.size() == 1 ? "The job's supervisor ended unexpectedly" : reason.substr(0, reason.find('\n'));
    }
  return "A host ended unexpectedly";
}

bool JobFollower::ProgramHasRun() const {
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [](const Host& host) { return fs::exists(host.directory.program_started()); });
}

Status JobFollower::SyncCheckpoints(bool last) {
  const auto now = steady_.Now();
  if (!last && now < next_sync_) return {};
  next_sync_ = now + options_.checkpoint_sync_millis;
  for (auto& host : hosts_) {
    if (host.checkpoints == nullptr) continue;
    if (!fs::exists(host.directory.files())) continue;  // removed to make room: nothing that the job has deleted
    if (!fs::exists(host.directory.program_started())) continue;
    const auto synced = host.checkpoints->Step(last, [&] { return last ? GivesUpStoring() : leaving_(); });
    if (synced) continue;
    if (last) return synced;
    // Tried again; the job itself can go on.
    Log(LogLevel::kWarning, "job {}: checkpoints: {}", name_, synced.error().message());
  }
  return {};
}

// A job that is to end may still store what it has, for as long as its program might have taken to end.
bool JobFollower::GivesUpStoring() {
  if (leaving_()) return true;
  if (!directory_.StopRequested() && !HasCome(state_.deadline, Moment::Now())) return false;
  if (asked_to_end_ == 0) asked_to_end_ = steady_.Now();
  return steady_.Now() - asked_to_end_ >= options_.stop_grace_seconds * int64_t{1000};
}

Status JobFollower::StoreAll(const JobEnd& end, StoredArtifacts& stored) {
  const auto synced = SyncCheckpoints(true);
  ArtifactsOfJob artifacts{.job_name = name_,
                           .output_path = request_.output.s3_output_path,
                           .hosts = {},
                           .scratch = directory_.path() + "/artifacts",
                           .with_model = !end.failed(),
                           .cancelled = [this] { return GivesUpStoring(); }};
  for (const auto& host : hosts_) artifacts.hosts.push_back(host.directory);
  HEADRACE_TRY(StoreArtifacts(*objects_, artifacts, stored));
  return synced;
}

// Everything the job leaves is stored before its last status shows.
Result<JobFollower::Progress> JobFollower::Conclude() {
  JobEnd end = life_.end();
  StoredArtifacts artifacts;
  if (const auto stored = StoreAll(end, artifacts); !stored) {
    if (leaving_()) return Progress::kIdle;
    const bool given_up = stored.error().code() == ErrorCode::kUnavailable && GivesUpStoring();
    if (given_up) artifacts.notes.push_back("[headrace] warning: the job was to end: not all that it left is stored");
    if (given_up && end.status == TrainingStatus::kCompleted)
      end = directory_.StopRequested() ? JobEnd::Stopped() : JobEnd::MaxRuntimeExceeded();
    if (!given_up && !end.failed()) end = FailureOf(stored.error());
  }

  // Before the end is written: the job may have filled the disk.
  for (const auto& host : hosts_) rubbish_.Take(host.directory.files());
  const auto now = options_.clock->Now();
  HEADRACE_TRY(options_.database->Write(store::WriteKind::kFrees, [&](store::Connection& db) -> Status {
    if (ProgramHasRun()) HEADRACE_TRY(reader_->SayIn(db, state_, reader_->MetricReport(state_)));
    HEADRACE_TRY(reader_->SayIn(db, state_, artifacts.notes));
    if (!end.reason.empty()) HEADRACE_TRY(reader_->SayIn(db, state_, {"[headrace] " + end.reason}));
    const auto updated = store::TrainingJobs::UpdateIn(db, account_, name_, [&](store::TrainingJob& job) -> Status {
      job.model_artifacts = artifacts.model;
      job.failure_reason = end.failed() ? end.reason : "";
      store::Finish(job, Text(end.status), Text(end.secondary), Message(end), now);
      return {};
    });
    if (!updated) return tl::unexpected<Error>(updated.error());
    return {};
  }));
  for (size_t i = 0; i < hosts_.size(); ++i) executor_.Forget(Key(i));
  Log(LogLevel::kInfo, "job {} of {}: {}{}{}", name_, account_, Text(end.secondary), end.reason.empty() ? "" : ": ",
      end.reason);
  CleanUp();
  return Progress::kDone;
}

// The logs stay for a while; the rest is in the object store or of no more use.
void JobFollower::CleanUp() {
  if (auto removed = RemoveSharedMemory(directory_); !removed)
    Log(LogLevel::kWarning, "job {}: {}", name_, removed.error().message());
  const auto keep_logs = [this](const std::string& directory) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory, ignored)) {
      const auto name = entry.path().filename().string();
      if (!name.starts_with("attempt-") && name != "supervisor.log" && entry.path() != directory_.hosts())
        rubbish_.Take(entry.path());
    }
  };
  for (const auto& host : hosts_) keep_logs(host.directory.path());
  keep_logs(directory_.path());
}

}  // namespace headrace::jobs
