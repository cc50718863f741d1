#include "jobs/transform/transform_runner.h"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "base/beneath.h"
#include "base/file.h"
#include "base/log.h"
#include "jobs/metrics/use_metrics.h"
#include "jobs/request/member_effects.h"
#include "jobs/request/training_status.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTransformGroup = "/aws/sagemaker/TransformJobs";  // of lines, and the metrics' namespace
constexpr UnixMillis kInstanceEndMillis = 3000;
constexpr UnixMillis kAgainMillis = 1000;  // after the database has refused

// "2026-11-25T04:05:06.789:[sagemaker logs]: " and the line.
std::string AsDataLogLine(UnixMillis now, const std::string& line) {
  const std::time_t seconds = now / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}:[sagemaker logs]: {}", text, now % 1000, line);
}

}  // namespace

TransformRunner::TransformRunner(HostingMachine& machine, http::Client& client, std::string account, std::string name)
    : machine_(machine),
      client_(client),
      account_(std::move(account)),
      name_(std::move(name)),
      directory_(machine.options.data_dir + "/transforms/" + account_ + "/" + name_),
      log_(*machine.options.database, *machine.options.clock, account_, kTransformGroup),
      use_report_(*machine.options.database, "transform job " + name_,
                  [this](const Generation::Use& use, UnixMillis, std::vector<store::MetricDatum>& data) {
                    const UnixMillis now = machine_.options.clock->Now();
                    const store::Dimensions host{{"Host", name_ + "/" + use.instance}};
                    InstanceUse told = use.use;
                    told.disk.reset();  // SageMaker has none for transform jobs
                    AddUseMetrics({account_, kTransformGroup, "", host}, now, told, data);
                  }),
      thread_([this] {
        RunJob();
        ended_ = true;
      }) {}

TransformRunner::~TransformRunner() {
  RequestStop();
  thread_.join();
}

void TransformRunner::Wake() {
  woken_ = true;
  wakeup_.Signal();
}

void TransformRunner::RequestStop() {
  stop_ = true;
  wakeup_.Signal();
}

std::optional<store::TransformJob> TransformRunner::ReadRow() {
  auto row = store::TransformJobs(*machine_.options.database).Find(account_, name_);
  if (row) return std::move(*row);
  Log(LogLevel::kError, "transform job {}: {}", name_, row.error().message());
  woken_ = true;
  return std::nullopt;
}

void TransformRunner::RunJob() {
  std::optional<store::TransformJob> job;
  while (woken_.exchange(false) && !(job = ReadRow()) && !stop_) Poll(machine_.steady.Now() + kAgainMillis);
  if (stop_ || !job) return;
  End end = End::kStopped;
  if (TrainingStatusOf(job->status) == TransformStatus::kInProgress) {
    const auto prepared = Prepare(*job);
    end = prepared ? Work() : Fail("ClientError: " + prepared.error().message());
  } else if (TrainingStatusOf(job->status) != TransformStatus::kStopping) {
    return;
  }
  if (run_) run_->Stop();
  if (generation_) EndInstances();
  run_.reset();
  WriteLines(true);
  generation_.reset();
  if (end != End::kLeft) WriteEnd(end);
}

TransformRunner::End TransformRunner::Fail(const std::string& why) {
  failure_ = why;
  return End::kFailed;
}

Status TransformRunner::Prepare(const store::TransformJob& job) {
  HEADRACE_ASSIGN(settings_, ParseTransformSettings(job.request));
  notes_ = LinesOf(EffectsOf(TransformJobMembers(), nlohmann::json::parse(job.request)));
  HEADRACE_ASSIGN(const auto deployment, ParseDeployment(job.deployment));
  HEADRACE_ASSIGN(objects_, machine_.options.objects.Of(account_));
  HEADRACE_TRY(MakeDirectories(directory_));
  const std::string list = directory_ + "/inputs";
  if (fs::exists(list)) {  // the server was started again
    HEADRACE_ASSIGN(inputs_, LoadTransformInputs(list));
  } else {
    HEADRACE_ASSIGN(inputs_, FindTransformInputs(*objects_, settings_.input_uri, settings_.is_manifest));
    HEADRACE_TRY(SaveTransformInputs(list, inputs_));
  }
  started_ = machine_.options.clock->Now();
  HEADRACE_TRY(store::TransformJobs(*machine_.options.database)
                   .Update(account_, name_, [this](store::TransformJob& row) -> Status {
                     if (row.transform_start == 0) row.transform_start = std::max(started_, row.created);
                     row.modified = std::max(row.modified, started_);
                     return {};
                   }));
  generation_ = std::make_unique<Generation>(machine_, account_, deployment, directory_, [this] { wakeup_.Signal(); });
  return {};
}

TransformRunner::End TransformRunner::Work() {
  while (!stop_) {
    if (woken_.exchange(false)) {
      const auto row = ReadRow();
      if (row && TrainingStatusOf(row->status) == TransformStatus::kStopping) return End::kStopped;
    }
    UnixMillis again = 0;
    if (const auto end = StepInstances(again)) return *end;
    if (run_ && run_->ended()) {
      const std::string failure = run_->failure();
      return failure.empty() ? End::kCompleted : Fail(failure + ". See job logs for more information");
    }
    WriteUse(again);
    WriteLines(false);
    Poll(again);
  }
  return End::kLeft;
}

std::optional<TransformRunner::End> TransformRunner::StepInstances(UnixMillis& again) {
  again = generation_->Step(machine_.steady.Now());
  if (!generation_->failure().empty()) return Fail("AlgorithmError: " + generation_->cause());
  if (!run_ && generation_->Ready()) StartRun();
  if (run_ && generation_->TakeRouteChanged()) {
    routes_.Publish({}, {}, generation_->MakeRoute());
    generation_->RoutePublished();
  }
  return std::nullopt;
}

// From when the objects go through the model servers.
void TransformRunner::WriteUse(UnixMillis& again) {
  if (!run_) return;
  const auto sample = [this](UnixMillis at) { return generation_->SampleUse(at); };
  again = Earlier(again, use_report_.Step(machine_.steady.Now(), sample));
}

void TransformRunner::StartRun() {
  generation_->MakeInstancesPermanent();
  const Route route = generation_->MakeRoute();
  routes_.Publish({}, {}, route);
  generation_->RoutePublished();
  (void)generation_->TakeRouteChanged();
  data_stream_ = fmt::format("{}/{}-{}/data-log", name_, route.front().targets.front()->instance, started_ / 1000);
  for (const auto& note : notes_) Say(note);
  TransformRunOptions options;
  options.settings = settings_;
  options.inputs = std::move(inputs_);
  options.done_file = directory_ + "/done";
  options.objects = objects_;
  options.client = &client_;
  options.routes = &routes_;
  options.say = [this](const std::string& line) { Say(line); };
  options.wake = [this] { wakeup_.Signal(); };
  run_ = std::make_unique<TransformRun>(std::move(options));
}

void TransformRunner::EndInstances() {
  generation_->Kill();
  const UnixMillis patience = machine_.steady.Now() + kInstanceEndMillis;
  while (!generation_->Ended() && machine_.steady.Now() < patience) {
    generation_->Step(machine_.steady.Now());
    WriteLines(true);
    Poll(machine_.steady.Now() + 20);
  }
}

void TransformRunner::WriteEnd(End end) {
  const UnixMillis now = machine_.options.clock->Now();
  const auto write = [&](store::TransformJob& row) -> Status {
    const bool stopped = end == End::kStopped || TrainingStatusOf(row.status) == TransformStatus::kStopping;
    row.status = Text(end == End::kFailed ? TransformStatus::kFailed
                      : stopped           ? TransformStatus::kStopped
                                          : TransformStatus::kCompleted);
    row.failure_reason = Truncate(failure_, kLongestFailureReason);
    row.transform_end = std::max(now, row.transform_start);
    row.modified = std::max(now, row.modified);
    return {};
  };
  // The server's end may come first: the next start then does what is left, which is this.
  while (true) {
    const auto written = store::TransformJobs(*machine_.options.database).Update(account_, name_, write);
    if (written || written.error().code() == ErrorCode::kNotFound) break;
    Log(LogLevel::kError, "transform job {}: {}", name_, written.error().message());
    if (stop_) return;
    Poll(machine_.steady.Now() + kAgainMillis);
  }
  if (!failure_.empty()) Log(LogLevel::kWarning, "transform job {}: {}", name_, failure_);
  if (auto removed = RemoveTree(directory_); !removed)
    Log(LogLevel::kError, "transform job {}: {}", name_, removed.error().message());
}

void TransformRunner::Poll(UnixMillis until) {
  std::vector<pollfd> watched;
  if (generation_) generation_->AddTo(watched);
  wakeup_.Wait(std::move(watched), machine_.steady.Now(), log_.NextLook(until));
}

void TransformRunner::Say(const std::string& line) {
  const UnixMillis now = machine_.options.clock->Now();
  {
    const std::lock_guard lock(lines_mutex_);
    data_lines_.push_back({now, AsDataLogLine(now, line)});
  }
  wakeup_.Signal();
}

void TransformRunner::WriteLines(bool all) {
  std::vector<Instance::Line> lines;
  {
    const std::lock_guard lock(lines_mutex_);
    const bool any = !data_lines_.empty() || (generation_ && generation_->has_lines());
    if (!all && !log_.Due(any)) return;
    lines.swap(data_lines_);
  }
  log_.Taken();
  if (generation_)
    for (const auto& batch : generation_->TakeLines())
      log_.Append(fmt::format("{}-{}", batch.stream, started_ / 1000), batch.lines);
  if (!lines.empty()) log_.Append(data_stream_, lines);
}

}  // namespace headrace::jobs
