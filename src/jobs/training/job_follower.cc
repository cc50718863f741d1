#include "jobs/training/job_follower.h"

#include <cerrno>
#include <filesystem>

#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/log.h"
#include "jobs/directory/checkpoint_place.h"
#include "jobs/request/hyperparameters.h"
#include "jobs/request/member_effects.h"
#include "jobs/request/s3_uri.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/training/artifacts.h"
#include "jobs/training/input_channels.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Above twice the grace, for packing and storing, until a supervisor that has to end is ended.
constexpr int64_t kEndMillis = 10'000;
constexpr int64_t kKilledMillis = 10'000;  // until the job of a supervisor that does not even die goes on without it

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
  return state.end.has_value() || (state.program_ended && state.attempt >= request.retries);
}

JobFollower::JobFollower(const TrainingOptions& options, Rubbish& rubbish, std::string account, std::string name)
    : options_(options),
      executor_(*options.executor),
      account_(std::move(account)),
      name_(std::move(name)),
      directory_(options.data_dir + "/jobs/" + account_ + "/" + name_),
      rubbish_(rubbish),
      watch_(options.hang_seconds * int64_t{1000}, options.stop_grace_seconds * int64_t{2000} + kEndMillis) {}

Result<JobFollower::Progress> JobFollower::Step() { return reader_ == nullptr ? Begin() : Follow(); }

// The row says how far an earlier process has come; the directory whether its supervisor was started.
Result<JobFollower::Progress> JobFollower::Begin() {
  store::TrainingJobs rows(*options_.database);
  HEADRACE_ASSIGN(const auto job, rows.Find(account_, name_));
  if (!job || store::IsTerminal(job->status)) return Progress::kDone;
  HEADRACE_ASSIGN(state_, ParseIngestState(job->state));
  auto request = ParseTrainingRequest(job->request);
  if (request) request_ = std::move(*request);
  HEADRACE_ASSIGN(objects_, options_.objects.Of(account_));
  auto metrics = MetricMatcher::Compile(request_.algorithm.metric_definitions);
  const bool usable = metrics.has_value();
  if (!usable) metrics = MetricMatcher::Compile({});
  auto reader = std::make_unique<SpoolReader>(*options_.database, *options_.clock, account_, name_, directory_,
                                              std::move(*metrics));
  if (!request) {
    reader_ = std::move(reader);
    return Conclude(FailureOf(request.error()));
  }

  if (const auto& config = request_.checkpoints) {
    // A place that the job cannot have fails it when it is staged.
    const auto place = PlaceOfCheckpoints(config->local_path).value_or(CheckpointPlace{"checkpoints", true});
    checkpoints_ = std::make_unique<CheckpointSync>(*objects_, config->s3_uri, directory_, place.below_host,
                                                    request_.resources.volume_bytes);
  }
  if (state_.end) {
    reader_ = std::move(reader);
    return Progress::kWorked;
  }
  if (IsStopping(*job) && fs::exists(directory_.path())) HEADRACE_TRY(directory_.RequestStop());
  // Without the attempt's directory no supervisor has begun; should one begin late, it finds the lock taken.
  if (!fs::exists(directory_.attempt(state_.attempt)) && !executor_.Alive(Host())) {
    if (state_.attempt == 0)
      HEADRACE_TRY(options_.database->Write([&](store::Connection& db) {
        return reader->SayIn(db, state_, LinesOf(EffectsOfTrainingJob(request_.document)));
      }));
    if (auto started = StartAttempt(*job); !started) {
      reader_ = std::move(reader);
      return Conclude(FailureOf(started.error()));
    }
  }
  if (bell_ == nullptr) bell_ = std::make_unique<Doorbell>(directory_.doorbell());
  reader_ = std::move(reader);
  return Progress::kWorked;
}

Status JobFollower::StartAttempt(const store::TrainingJob& job) {
  if (options_.may_run) HEADRACE_TRY(options_.may_run(account_));
  HEADRACE_TRY(MakeDirectories(directory_.path()));
  fs::permissions(directory_.path(), fs::perms::owner_all);
  bell_ = std::make_unique<Doorbell>(directory_.doorbell());
  HEADRACE_ASSIGN(auto description, Describe(job));
  HEADRACE_TRY(KeepInputs(description));
  if (checkpoints_ != nullptr && description.checkpoints) {
    std::vector<std::string> names;
    for (const auto& object : description.checkpoints->objects) names.push_back(object.name);
    HEADRACE_TRY(checkpoints_->Restored(names));
  }
  if (description.hosts.size() != 1)
    return Fail(ErrorCode::kInvalidArgument, "InstanceCount: found {}, wanted 1", description.hosts.size());
  // A stop that came before there was a directory to put it into.
  store::TrainingJobs rows(*options_.database);
  HEADRACE_ASSIGN(const auto now, rows.Find(account_, name_));
  if (now && IsStopping(*now)) HEADRACE_TRY(directory_.RequestStop());
  return executor_.Start({Host(), std::move(description)});
}

Result<JobDescription> JobFollower::Describe(const store::TrainingJob& job) const {
  JobDescription description;
  description.job_name = name_;
  description.job_arn = job.arn;
  description.region = options_.region;
  description.attempt = state_.attempt;
  description.request = request_;
  description.hosts = request_.hosts();
  description.deadline = state_.deadline;
  HEADRACE_TRY(DescribeInputs(description));
  if (options_.environment) {
    HEADRACE_ASSIGN(description.environment, options_.environment(job));
  }
  description.stop_grace_seconds = options_.stop_grace_seconds;
  description.resource_sample_millis = options_.resource_sample_millis;
  description.heartbeat_millis = options_.heartbeat_seconds * int64_t{1000};
  return description;
}

Status JobFollower::DescribeInputs(JobDescription& description) const {
  const ShareOfHost share{0, static_cast<uint32_t>(description.hosts.size())};
  HEADRACE_ASSIGN(description.channels, ResolveChannels(*objects_, request_, share));
  const auto source = request_.hyperparameters.Text("sagemaker_submit_directory");
  if (IsUri(source)) {
    auto object = FindInput(*objects_, source);
    if (!object) return Fail(object.error().code(), "sagemaker_submit_directory: {}", object.error().message());
    description.source = JobDescription::Source{object->blob, source};
  }
  if (const auto& config = request_.checkpoints) {
    auto uri = config->s3_uri;
    if (!uri.ends_with('/')) uri += '/';
    auto objects = ListPrefix(*objects_, uri);
    if (!objects) return Fail(objects.error().code(), "CheckpointConfig.S3Uri: {}", objects.error().message());
    description.checkpoints = JobDescription::Checkpoints{config->local_path, std::move(*objects)};
  }
  HEADRACE_ASSIGN(const auto output, ParseS3Uri(request_.output.s3_output_path));
  return objects_->Check(output.bucket, OutputPrefix(output, name_), "s3:PutObject");
}

// Objects that are replaced or deleted while the job runs: it keeps those it was created with, under names of its own.
Status JobFollower::KeepInputs(JobDescription& description) const {
  const auto links = directory_.path() + "/inputs";
  HEADRACE_TRY(RemoveTree(links));
  HEADRACE_TRY(MakeDirectories(links));
  size_t number = 0;
  const auto keep = [&](std::string& blob, const std::string& key) -> Status {
    if (blob.empty()) return {};
    auto link = fmt::format("{}/{}", links, number++);
    if (::link(blob.c_str(), link.c_str()) == 0) {
      blob = std::move(link);
    } else if (errno == ENOENT) {
      return Fail(ErrorCode::kNotFound, "the object {} was deleted or replaced while the job was prepared", key);
    }  // else this file system has no such links, and the blob is read where it is
    return {};
  };
  for (auto& channel : description.channels) {
    for (auto& object : channel.objects) HEADRACE_TRY(keep(object.blob, object.key));
    if (channel.manifest) HEADRACE_TRY(keep(channel.manifest->blob, channel.manifest->key));
  }
  if (description.source) HEADRACE_TRY(keep(description.source->blob, description.source->uri));
  if (description.checkpoints)
    for (auto& object : description.checkpoints->objects) HEADRACE_TRY(keep(object.blob, object.key));
  return {};
}

Result<JobFollower::Progress> JobFollower::Follow() {
  if (state_.end) {
    while (true) {  // the last lines of the log
      const auto more = reader_->Ingest(state_);
      if (!more && more.error().code() != ErrorCode::kResourceExhausted) return tl::unexpected<Error>(more.error());
      if (!more)
        Log(LogLevel::kWarning, "job {}: its last lines stay in its directory: {}", name_, more.error().message());
      if (!more || !*more) break;
    }
    return Conclude(*state_.end);
  }
  const bool alive = executor_.Alive(Host());  // before reading: what it wrote before it died is read
  HEADRACE_ASSIGN(const bool worked, reader_->Ingest(state_));
  HEADRACE_TRY(SyncCheckpoints(false));
  if (alive) WatchSupervisor();
  const bool given_up = killed_ != 0 && steady_.Now() - killed_ > kKilledMillis;
  if (worked || (alive && !given_up)) return worked ? Progress::kWorked : Progress::kIdle;
  return SupervisorIsGone();
}

// One that is there, but does not run, or does not come to an end, holds its cores for ever.
void JobFollower::WatchSupervisor() {
  const auto pulse = ReadFile(directory_.pulse(), 256).value_or("");
  const bool has_to_end = directory_.StopRequested() || HasCome(state_.deadline, Moment::Now());
  const auto verdict = watch_.Look(steady_.Now(), pulse, has_to_end);
  if (verdict == SupervisorWatch::Verdict::kWorks || killed_ != 0) return;
  killed_ = steady_.Now();
  why_killed_ = verdict == SupervisorWatch::Verdict::kHangs
                    ? fmt::format("gave no sign of life for {} s and was ended", options_.hang_seconds)
                    : "did not end in time and was ended";
  executor_.Stop(Host(), "its supervisor " + why_killed_);
}

Result<JobFollower::Progress> JobFollower::SupervisorIsGone() {
  const auto retries = request_.retries;
  store::TrainingJobs rows(*options_.database);
  HEADRACE_ASSIGN(const auto job, rows.Find(account_, name_));
  if (!job) return Progress::kDone;
  const bool over = IsStopping(*job) || HasCome(state_.deadline, Moment::Now());
  if (state_.attempt >= retries || over || executor_.Alive(Host())) return Conclude(EndWithoutSupervisor(*job));
  IngestState next = state_;
  ++next.attempt;
  next.program_ended = false;
  next.events_offset = next.log_offset = 0;
  HEADRACE_ASSIGN(const auto updated, rows.Update(account_, name_, [&](store::TrainingJob& row) -> Status {
    store::MoveTo(
        row, Text(SecondaryStatus::kRestarting),
        fmt::format("The job's supervisor ended unexpectedly; attempt {} of {}", next.attempt + 1, retries + 1),
        options_.clock->Now());
    row.state = ToJson(next);
    return {};
  }));
  executor_.Forget(Host());
  state_ = next;
  killed_ = 0;
  if (auto started = StartAttempt(updated); !started) return Conclude(FailureOf(started.error()));
  return Progress::kWorked;
}

JobEnd JobFollower::EndWithoutSupervisor(const store::TrainingJob& job) const {
  if (IsStopping(job)) return JobEnd::Stopped();
  if (HasCome(state_.deadline, Moment::Now())) return JobEnd::MaxRuntimeExceeded();
  const auto said = ReadFile(directory_.path() + "/supervisor.log", 4096).value_or("");
  return JobEnd::Failed(
      Truncate(fmt::format("InternalServerError: the job's supervisor process {}, and the program with it{}{}",
                           why_killed_.empty() ? "ended unexpectedly" : why_killed_, said.empty() ? "" : ": ", said),
               kLongestFailureReason));
}

Status JobFollower::SyncCheckpoints(bool last) {
  if (checkpoints_ == nullptr) return {};
  if (!fs::exists(directory_.host())) return {};  // removed to make room: nothing that the job has deleted
  const auto now = steady_.Now();
  if (!last && now < next_sync_) return {};
  next_sync_ = now + options_.checkpoint_sync_millis;
  if (!last && !fs::exists(directory_.program_started())) return {};
  auto synced = checkpoints_->Step(last);
  if (!synced && !last) {  // tried again; the job itself can go on
    Log(LogLevel::kWarning, "job {}: checkpoints: {}", name_, synced.error().message());
    return {};
  }
  return synced;
}

// Everything the job leaves is stored before its last status shows.
Result<JobFollower::Progress> JobFollower::Conclude(const JobEnd& found) {
  JobEnd end = found;
  std::string model;
  const auto fail = [&](const Error& error) {
    if (!end.failed()) end = FailureOf(error);
  };
  if (fs::exists(directory_.program_started()))
    if (auto synced = SyncCheckpoints(true); !synced) fail(synced.error());
  if (auto stored = StoreArtifacts(*objects_, request_.output.s3_output_path, name_, directory_); stored)
    model = *stored;
  else
    fail(stored.error());

  // Before the end is written: the job may have filled the disk.
  rubbish_.Take(directory_.host());
  const auto now = options_.clock->Now();
  HEADRACE_TRY(options_.database->Write(store::WriteKind::kFrees, [&](store::Connection& db) -> Status {
    if (fs::exists(directory_.program_started()))
      HEADRACE_TRY(reader_->SayIn(db, state_, reader_->MetricReport(state_)));
    if (!end.reason.empty()) HEADRACE_TRY(reader_->SayIn(db, state_, {"[headrace] " + end.reason}));
    const auto updated = store::TrainingJobs::UpdateIn(db, account_, name_, [&](store::TrainingJob& job) -> Status {
      job.model_artifacts = model;
      job.failure_reason = end.failed() ? end.reason : "";
      store::Finish(job, Text(end.status), Text(end.secondary), Message(end), now);
      return {};
    });
    if (!updated) return tl::unexpected<Error>(updated.error());
    return {};
  }));
  executor_.Forget(Host());
  Log(LogLevel::kInfo, "job {} of {}: {}{}{}", name_, account_, Text(end.secondary), end.reason.empty() ? "" : ": ",
      end.reason);
  CleanUp();
  return Progress::kDone;
}

// The logs stay for a while; the rest is in the object store or of no more use.
void JobFollower::CleanUp() const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory_.path(), ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("attempt-") && name != "supervisor.log") rubbish_.Take(entry.path());
  }
}

}  // namespace headrace::jobs
