#include "jobs/training/scheduler.h"

#include "base/log.h"
#include "jobs/request/training_request.h"
#include "jobs/request/training_status.h"
#include "jobs/training/ingest_state.h"
#include "jobs/training/job_follower.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

constexpr size_t kWordsAtOnce = 100;  // jobs told in one transaction that they wait
constexpr const char* kUntouched = "{}";

// Whether the job still waits: it may have been stopped meanwhile.
bool Waits(const store::TrainingJob& row) {
  return TrainingStatusOf(row.status) == TrainingStatus::kInProgress && row.state == kUntouched;
}

// What each of its hosts is to have. A request that cannot be read has one host: it will fail, and say why.
std::vector<InstanceSize> SizesOf(const Result<TrainingRequest>& request) {
  if (!request) return {InstanceSize{1, 0}};
  return request->host_sizes();
}

IngestState Admitted(const store::TrainingJob& row, const Result<TrainingRequest>& request,
                     const std::vector<HostPlace>& places, const Moment& now) {
  const int64_t seconds = request ? request->stopping.max_runtime_seconds : kDefaultMaxRuntimeSeconds;
  return Begun(row.name, places, now.wall, now.After(seconds * 1000));
}

std::vector<HostPlace> PlacesOf(const IngestState& state) {
  std::vector<HostPlace> places;
  for (const auto& host : state.hosts) places.push_back(host.place);
  return places;
}

}  // namespace

Result<std::vector<JobKey>> Scheduler::Reattach() {
  std::vector<JobKey> jobs;
  HEADRACE_ASSIGN(const auto rows, store::TrainingJobs(database_).UnderWay());
  for (const auto& row : rows) {
    HEADRACE_ASSIGN(const auto state, ParseIngestState(row.state));
    if (!state.admitted) continue;
    const auto request = ParseTrainingRequest(row.request);
    const JobKey key{row.account_id, row.name};
    if (!request || !NeedsNoCores(state, *request)) executor_.Restore(key, SizesOf(request), PlacesOf(state));
    jobs.push_back(key);
  }
  return jobs;
}

Result<std::vector<JobKey>> Scheduler::Step(const Moment& now) {
  store::TrainingJobs rows(database_);
  std::vector<JobKey> admitted;
  while (true) {
    HEADRACE_ASSIGN(const auto first, rows.FirstWaitingOfEachAccount());
    std::vector<WaitingJob> waiting;
    for (const auto& job : first) waiting.push_back({job.account_id, job.name, job.sequence});
    const auto next = queue_.Next(waiting);
    if (!next) return admitted;
    const JobKey key{next->account, next->name};
    const auto turn = Admit(key, now);
    if (!turn) {
      // Those that are admitted are, whatever becomes of the others now.
      if (admitted.empty()) return tl::unexpected<Error>(turn.error());
      Log(LogLevel::kError, "scheduler: {}", turn.error().message());
      return admitted;
    }
    if (*turn == Turn::kHasToWait) break;
    if (*turn == Turn::kGone) continue;
    admitted.push_back(key);
    queue_.Taken(*next);
  }
  if (const auto said = SayPending(now.wall); !said) Log(LogLevel::kError, "scheduler: {}", said.error().message());
  return admitted;
}

Result<Scheduler::Turn> Scheduler::Admit(const JobKey& key, const Moment& now) {
  store::TrainingJobs rows(database_);
  HEADRACE_ASSIGN(const auto job, rows.Find(key.account, key.job));
  if (!job || !Waits(*job)) return Turn::kGone;
  const auto request = ParseTrainingRequest(job->request);
  const auto places = executor_.Reserve(key, SizesOf(request));
  if (!places) {
    HEADRACE_TRY(Refuse(key, "ClientError: " + places.error().message(), now.wall));
    return Turn::kGone;
  }
  if (!*places) return Turn::kHasToWait;
  bool still = false;
  const auto updated = rows.Update(key.account, key.job, [&](store::TrainingJob& row) -> Status {
    still = Waits(row);
    if (!still) return {};
    row.state = ToJson(Admitted(row, request, **places, now));
    row.training_start = now.wall;
    store::MoveTo(row, Text(SecondaryStatus::kStarting), "Preparing the instances for training", now.wall);
    return {};
  });
  if (updated && still) return Turn::kAdmitted;
  executor_.Release(key);
  if (!updated && updated.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(updated.error());
  return Turn::kGone;
}

Status Scheduler::Refuse(const JobKey& key, const std::string& reason, UnixMillis now) {
  const auto updated =
      store::TrainingJobs(database_).Update(key.account, key.job, [&](store::TrainingJob& row) -> Status {
        if (!Waits(row)) return {};
        row.failure_reason = reason;
        store::Finish(row, Text(TrainingStatus::kFailed), Text(SecondaryStatus::kFailed), "Training job failed", now);
        return {};
      });
  if (!updated && updated.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(updated.error());
  return {};
}

// To those that have come since the last time.
Status Scheduler::SayPending(UnixMillis now) {
  store::TrainingJobs rows(database_);
  while (true) {
    HEADRACE_ASSIGN(const auto jobs, rows.WaitingWithoutWord(kWordsAtOnce));
    if (jobs.empty()) return {};
    HEADRACE_TRY(database_.Write([&](store::Connection& db) -> Status {
      for (const auto& job : jobs) {
        const auto updated =
            store::TrainingJobs::UpdateIn(db, job.account_id, job.name, [&](store::TrainingJob& row) -> Status {
              if (!Waits(row)) return {};
              const auto wanted = executor_.Wanted(SizesOf(ParseTrainingRequest(row.request)));
              store::MoveTo(row, Text(SecondaryStatus::kPending), "Waiting for " + wanted, now);
              return {};
            });
        if (!updated && updated.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(updated.error());
      }
      return {};
    }));
  }
}

}  // namespace headrace::jobs
