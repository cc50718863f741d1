#include "jobs/supervisor/host_life.h"

#include <utility>

#include "base/state_table.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {
namespace {

JobEnd Failed(std::string reason) { return JobEnd::Failed(Truncate(std::move(reason), kLongestFailureReason)); }

}  // namespace

std::optional<HostPhase> After(HostPhase phase, HostEvent event) {
  using enum HostPhase;
  using enum HostEvent;
  static constexpr Transition<HostPhase, HostEvent> kTable[] = {
      {kMaking, kDone, kStaging},      {kMaking, kBreaksOff, kEnding},  {kStaging, kDone, kReadying},
      {kStaging, kBreaksOff, kEnding}, {kReadying, kDone, kRunning},    {kReadying, kBreaksOff, kEnding},
      {kRunning, kDone, kPacking},     {kRunning, kBreaksOff, kEnding}, {kPacking, kDone, kEnding},
      {kPacking, kBreaksOff, kEnding}, {kEnding, kDone, kEnded},
  };
  return NextState(kTable, phase, event);
}

bool IsCancelled(const Error& error) { return error.code() == ErrorCode::kUnavailable; }

void HostLife::Take(Status outcome) {
  const auto next = After(phase_, outcome ? HostEvent::kDone : HostEvent::kBreaksOff);
  if (!next) return;
  phase_ = *next;
  if (!outcome) outcome_ = std::move(outcome);
}

JobEnd HostLife::End(const HostFacts& facts) const {
  if (!facts.log && !facts.out_of_disk)
    return Failed("InternalServerError: the job's log could not be written: " + facts.log.error().message());
  if (!outcome_ && !IsCancelled(outcome_.error())) return Failed(outcome_.error().message());
  if (facts.timed_out) return JobEnd::MaxRuntimeExceeded();
  if (facts.stopped) return JobEnd::Stopped();
  if (!outcome_) return Failed("InternalServerError: " + outcome_.error().message());
  return JobEnd::Completed();
}

}  // namespace headrace::jobs
