#include "jobs/hosting/endpoint_runner.h"

#include <algorithm>
#include <filesystem>

#include "base/beneath.h"
#include "base/log.h"
#include "jobs/metrics/use_metrics.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr UnixMillis kAfterFailedWriteMillis = 500;
constexpr UnixMillis kEndPatienceMillis = 3000;

}  // namespace

EndpointRunner::EndpointRunner(HostingMachine& machine, EndpointRoutes& routes, std::string account, std::string name,
                               std::function<bool()> may_end)
    : machine_(machine),
      routes_(routes),
      account_(std::move(account)),
      name_(std::move(name)),
      may_end_(std::move(may_end)),
      log_(*machine.options.database, *machine.options.clock, account_, "/aws/sagemaker/Endpoints/" + name_),
      use_report_(*machine.options.database, "endpoint " + name_,
                  [this](const Generation::Use& use, UnixMillis, std::vector<store::MetricDatum>& data) {
                    const UnixMillis now = machine_.options.clock->Now();
                    const store::Dimensions dimensions{{"EndpointName", name_}, {"VariantName", use.variant}};
                    AddUseMetrics({account_, "/aws/sagemaker/Endpoints", "", dimensions}, now, use.use, data);
                  }),
      thread_([this] { Run(); }) {}

EndpointRunner::~EndpointRunner() {
  RequestStop();
  thread_.join();
}

void EndpointRunner::Wake() {
  woken_ = true;
  wakeup_.Signal();
}

void EndpointRunner::RequestStop() {
  stop_ = true;
  wakeup_.Signal();
}

std::string EndpointRunner::Directory() const {
  return machine_.options.data_dir + "/endpoints/" + account_ + "/" + name_;
}

void EndpointRunner::Run() {
  while (!stop_) {
    if (woken_.exchange(false)) ReadRow();
    const UnixMillis again = Step();
    if ((status_ == EndpointStatus::kDeleting || row_gone_) && FinishDeletion()) return;
    Poll(again);
  }
  routes_.Remove(account_, name_);
  for (auto& [id, generation] : generations_) generation->Kill();
  const UnixMillis patience = machine_.steady.Now() + kEndPatienceMillis;
  const auto ended = [](const auto& entry) { return entry.second->Ended(); };
  while (!std::all_of(generations_.begin(), generations_.end(), ended) && machine_.steady.Now() < patience) {
    for (auto& [id, generation] : generations_) generation->Step(machine_.steady.Now());
    WriteLines(true);
    Poll(machine_.steady.Now() + 20);
  }
}

void EndpointRunner::Poll(UnixMillis until) {
  std::vector<pollfd> watched;
  for (const auto& [id, generation] : generations_) generation->AddTo(watched);
  wakeup_.Wait(std::move(watched), machine_.steady.Now(), log_.NextLook(until));
}

void EndpointRunner::ReadRow() {
  const auto row = store::Endpoints(*machine_.options.database).Find(account_, name_);
  if (!row) {
    Log(LogLevel::kError, "endpoint {}: {}", name_, row.error().message());
    woken_ = true;
    return;
  }
  row_gone_ = !*row;
  if (*row) Follow(**row);
}

void EndpointRunner::Follow(const store::Endpoint& row) {
  status_ = EndpointStatusOf(row.status);
  if (status_ == EndpointStatus::kDeleting || status_ == EndpointStatus::kFailed) return;
  const auto wanted = ParseDeployment(row.deployment);
  if (!wanted) {
    Log(LogLevel::kError, "endpoint {}: {}", name_, wanted.error().message());
    return;
  }
  settled_ = status_ == EndpointStatus::kInService;
  wanted_ = wanted->id;
  Generation& generation = Ensure(*wanted);
  generation.Adjust(*wanted);
  if (online_ != 0) return;
  // The server was started again. What served before comes back, and serves until an update is through.
  if (status_ == EndpointStatus::kInService) return ComeBack(generation);
  if (row.previous.empty()) return;
  if (const auto previous = ParseDeployment(row.previous)) ComeBack(Ensure(*previous));
}

Generation& EndpointRunner::Ensure(const Deployment& deployment) {
  auto& generation = generations_[deployment.id];
  if (!generation)
    generation =
        std::make_unique<Generation>(machine_, account_, deployment, fmt::format("{}/g{}", Directory(), deployment.id),
                                     [this] { wakeup_.Signal(); });
  return *generation;
}

// Requests wait for its instances.
void EndpointRunner::ComeBack(Generation& generation) {
  online_ = generation.deployment().id;
  generation.MakeInstancesPermanent();
  routes_.Publish(account_, name_, generation.MakeRoute());
}

UnixMillis EndpointRunner::Step() {
  const UnixMillis now = machine_.steady.Now();
  UnixMillis again = 0;
  for (auto& [id, generation] : generations_) again = Earlier(again, generation->Step(now));
  if (status_ == EndpointStatus::kDeleting || row_gone_ || status_ == EndpointStatus::kFailed) {
    routes_.Remove(account_, name_);
    for (auto& [id, generation] : generations_) generation->Kill();
  } else if (const auto wanted = generations_.find(wanted_); wanted != generations_.end()) {
    if (!wanted->second->failure().empty()) {
      GiveUp(*wanted->second);
      again = now;
    } else if (wanted->second->Ready() && online_ != wanted_) {
      GoOnline(*wanted->second);
      again = now;
    }
    if (const auto online = generations_.find(online_);
        online != generations_.end() && online->second->TakeRouteChanged()) {
      routes_.Publish(account_, name_, online->second->MakeRoute());
      online->second->RoutePublished();
      again = now;
    }
    const bool adjusting = status_ == EndpointStatus::kUpdating && !settled_ && online_ == wanted_;
    if (const auto reason = adjusting ? wanted->second->Stuck() : std::string(); !reason.empty()) {
      TakeBack(reason);
      again = now + kAfterFailedWriteMillis;
    }
    if (!settled_ && online_ == wanted_ && wanted->second->Ready()) FinishUpdate();
    if (!settled_ && online_ == wanted_ && wanted->second->Ready()) again = now + kAfterFailedWriteMillis;
  }
  again = Earlier(again, WriteUse(now));
  if (WriteLines(false)) again = now;  // an instance that had to say something may be let go now
  RemoveUnused();
  return again;
}

// From here on new requests go to this generation; the one before answers what it has.
void EndpointRunner::GoOnline(Generation& generation) {
  generation.MakeInstancesPermanent();
  routes_.Publish(account_, name_, generation.MakeRoute());
  generation.RoutePublished();
  (void)generation.TakeRouteChanged();
  online_ = generation.deployment().id;
  for (auto& [id, other] : generations_)
    if (id != online_) other->Retire(machine_.steady.Now());
}

// The wanted generation cannot serve: the endpoint has failed, or goes back to what it had.
void EndpointRunner::GiveUp(Generation& generation) {
  const bool back = online_ != 0 && online_ != wanted_;
  if (!WriteFailure(generation.failure(), back)) return;
  generation.Retire(machine_.steady.Now());
  if (back) wanted_ = online_;
  if (back) generation.Kill();
  settled_ = true;
  woken_ = true;
}

// Instances that were asked for do not come up: weights and numbers become what they were. The row is read again, and
// the instances too many let go.
void EndpointRunner::TakeBack(const std::string& reason) {
  if (!WriteFailure(reason, true)) return;
  settled_ = true;
  woken_ = true;
}

// False, and said, when the row could not be written.
bool EndpointRunner::WriteFailure(const std::string& reason, bool back) {
  WriteLines(true);
  const auto changed = Change([&](store::Endpoint& row) -> Status {
    status_ = EndpointStatusOf(row.status);
    if (status_ == EndpointStatus::kDeleting) return {};
    const auto deployment = ParseDeployment(row.deployment);
    if (deployment && deployment->id != wanted_) return {};  // another update has come
    row.failure_reason = reason;
    row.modified = machine_.options.clock->Now();
    status_ = back ? EndpointStatus::kInService : EndpointStatus::kFailed;
    row.status = Text(*status_);
    if (back) {
      row.deployment = std::exchange(row.previous, "");
      if (const auto previous = ParseDeployment(row.deployment)) row.config_name = previous->config_name;
    }
    return {};
  });
  if (!changed) {
    Log(LogLevel::kError, "endpoint {}: {}", name_, changed.error().message());
    return false;
  }
  Log(LogLevel::kWarning, "endpoint {}: {}", name_, reason);
  return true;
}

void EndpointRunner::FinishUpdate() {
  WriteLines(true);  // whoever sees InService finds the log of how it came to be
  const auto now = machine_.options.clock->Now();
  const auto changed = Change([&](store::Endpoint& row) -> Status {
    status_ = EndpointStatusOf(row.status);
    const auto deployment = ParseDeployment(row.deployment);
    if (status_ == EndpointStatus::kDeleting || (deployment && deployment->id != wanted_)) return {};
    status_ = EndpointStatus::kInService;
    row.status = Text(*status_);
    row.failure_reason.clear();
    row.previous.clear();
    row.modified = now;
    return {};
  });
  if (!changed) {
    Log(LogLevel::kError, "endpoint {}: {}", name_, changed.error().message());
    return;
  }
  settled_ = true;
  Log(LogLevel::kInfo, "endpoint {}: in service", name_);
}

Status EndpointRunner::Change(const store::Endpoints::Change& change) {
  const auto changed = store::Endpoints(*machine_.options.database).Update(account_, name_, change);
  if (changed) return {};
  if (changed.error().code() == ErrorCode::kNotFound) row_gone_ = true;
  return tl::unexpected<Error>(changed.error());
}

// True when nothing is left of the endpoint and its runner may end.
bool EndpointRunner::FinishDeletion() {
  for (const auto& [id, generation] : generations_)
    if (!generation->Ended()) return false;
  WriteLines(true);
  generations_.clear();
  if (auto removed = RemoveTree(Directory()); !removed)
    Log(LogLevel::kError, "{}: {}", Directory(), removed.error().message());
  if (!row_gone_) {
    store::Endpoints rows(*machine_.options.database);
    const auto row = rows.Find(account_, name_);
    if (row && *row && EndpointStatusOf((*row)->status) == EndpointStatus::kDeleting) {
      if (const auto deleted = rows.Delete(**row); !deleted) {
        Log(LogLevel::kError, "endpoint {}: {}", name_, deleted.error().message());
        return false;
      }
    }
  }
  wanted_ = online_ = 0;
  status_.reset();
  row_gone_ = false;
  if (may_end_()) return true;
  Wake();  // there may be a new endpoint of the same name
  return false;
}

void EndpointRunner::RemoveUnused() {
  for (auto at = generations_.begin(); at != generations_.end();) {
    const bool used = at->first == wanted_ || at->first == online_;
    if (used || !at->second->Ended()) {
      if (!used) at->second->Retire(machine_.steady.Now());
      ++at;
      continue;
    }
    const int64_t id = at->first;
    at = generations_.erase(at);
    if (auto removed = RemoveTree(fmt::format("{}/g{}", Directory(), id)); !removed)
      Log(LogLevel::kError, "{}: {}", Directory(), removed.error().message());
  }
}

// Whether there were any to write.
bool EndpointRunner::WriteLines(bool all) {
  const bool any = std::any_of(generations_.begin(), generations_.end(),
                               [](const auto& entry) { return entry.second->has_lines(); });
  if (!all && !log_.Due(any)) return false;
  log_.Taken();
  for (auto& [id, generation] : generations_)
    for (const auto& batch : generation->TakeLines()) log_.Append(batch.stream, batch.lines);
  return any;
}

// Only of those that requests go to. Returns when it wants to be called again; 0: not before something serves.
UnixMillis EndpointRunner::WriteUse(UnixMillis now) {
  const auto online = generations_.find(online_);
  if (online == generations_.end()) return use_report_.Step(now, nullptr);
  return use_report_.Step(now, [&](UnixMillis at) { return online->second->SampleUse(at); });
}

}  // namespace headrace::jobs
