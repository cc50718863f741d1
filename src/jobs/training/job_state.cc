#include "jobs/training/job_state.h"

#include <algorithm>
#include <array>
#include <utility>

namespace headrace::jobs {
namespace {

// In the order in which a host goes through them.
constexpr std::array kPhases = {SecondaryStatus::kDownloading, SecondaryStatus::kTraining, SecondaryStatus::kUploading};

size_t Progress(const HostIngest& host) {
  if (host.end || !host.phase) return kPhases.size();
  return static_cast<size_t>(std::find(kPhases.begin(), kPhases.end(), *host.phase) - kPhases.begin());
}

// Of two failures of one job: others fail when a host is lost, and that may be seen before the loss is.
bool IsCause(const HostEnd& one, const HostEnd& other) {
  return std::pair(!one.again, one.time) < std::pair(!other.again, other.time);
}

bool HasFailed(const HostIngest& host) { return host.end && host.end->how.failed(); }

}  // namespace

std::optional<JobPhase> PhaseOfJob(const IngestState& state) {
  const HostIngest* last = nullptr;
  for (const auto& host : state.hosts) {
    if (!host.phase && !host.end) return std::nullopt;
    if (Progress(host) < kPhases.size() && (last == nullptr || Progress(host) < Progress(*last))) last = &host;
  }
  if (last == nullptr) return std::nullopt;
  return JobPhase{*last->phase, last->message};
}

bool OthersHaveToEnd(const IngestState& state) {
  return std::any_of(state.hosts.begin(), state.hosts.end(), HasFailed);
}

std::optional<JobEnd> EndOfJob(const IngestState& state) {
  if (state.hosts.empty()) return std::nullopt;
  const HostEnd* failed = nullptr;
  const JobEnd* stopped = nullptr;
  for (const auto& host : state.hosts) {
    if (!host.end) return std::nullopt;
    const auto& how = host.end->how;
    if (how.failed() && (failed == nullptr || IsCause(*host.end, *failed))) failed = &*host.end;
    const bool in_time = how.secondary != SecondaryStatus::kMaxRuntimeExceeded;
    if (how.status == TrainingStatus::kStopped && (stopped == nullptr || !in_time)) stopped = &how;
  }
  if (failed != nullptr) return failed->how;
  return stopped != nullptr ? *stopped : state.hosts.front().end->how;
}

bool MayGoBetterAgain(const IngestState& state) {
  return std::any_of(state.hosts.begin(), state.hosts.end(),
                     [](const HostIngest& host) { return host.end && host.end->again; });
}

}  // namespace headrace::jobs
