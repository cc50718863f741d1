#include "jobs/hosting/slot_life.h"

#include <algorithm>

#include "base/state_table.h"

namespace headrace::jobs {
namespace {

using enum SlotState;
using enum SlotEvent;

constexpr Transition<SlotState, SlotEvent> kTable[] = {
    {kIdle, kStarts, kStarting},     {kIdle, kLeave, kGone},         {kIdle, kClose, kGone},
    {kStarting, kListens, kProbing}, {kStarting, kEnds, kEnding},    {kStarting, kLeave, kClosing},
    {kStarting, kClose, kClosing},   {kProbing, kAnswers, kServing}, {kProbing, kEnds, kEnding},
    {kProbing, kLeave, kClosing},    {kProbing, kClose, kClosing},   {kServing, kEnds, kEnding},
    {kServing, kLeave, kLeaving},    {kServing, kClose, kClosing},   {kEnding, kReaped, kIdle},
    {kEnding, kLeave, kClosing},     {kEnding, kClose, kClosing},    {kLeaving, kUnrouted, kDraining},
    {kLeaving, kEnds, kClosing},     {kLeaving, kClose, kClosing},   {kDraining, kEnds, kClosing},
    {kDraining, kClose, kClosing},   {kClosing, kReaped, kGone},
};

constexpr UnixMillis kFirstRestartMillis = 100, kLongestRestartMillis = 30'000;
constexpr UnixMillis kHealthyMillis = 60'000;  // after so long an end is the first failure again
constexpr int kStartsKilledBySignal = 3;       // before a start counts as failed for good
constexpr UnixMillis kPingMillis = 5000, kPingAgainMillis = 1000;
constexpr int kMostMissedPings = 3;  // one after the other: the process hangs

}  // namespace

std::optional<SlotState> After(SlotState state, SlotEvent event) { return NextState(kTable, state, event); }

bool SlotLife::Take(SlotEvent event) {
  const auto next = After(state_, event);
  if (next) state_ = *next;
  return next.has_value();
}

void SlotLife::Starts(UnixMillis now) {
  if (!Take(kStarts)) return;
  started_ = now;
  restart_at_ = next_ping_ = 0;
  missed_pings_ = 0;
  served_ = false;
}

void SlotLife::Reaped(UnixMillis now, bool by_signal) {
  Take(kEnds);  // whoever looks seldom sees both at once
  if (!Take(kReaped) || leaving()) return;
  CountEnd(now, by_signal);
}

void SlotLife::CountEnd(UnixMillis now, bool by_signal) {
  if (now - started_ >= kHealthyMillis) failures_ = 0;
  ++failures_;
  if (!served_) vain_starts_ += by_signal ? 1 : kStartsKilledBySignal;
  out_of_chances_ = !by_signal || failures_ >= kStartsKilledBySignal;
  // The first restart of what has served comes at once. What has not may be taken back instead, before it is started.
  const bool at_once = served_ && failures_ == 1;
  restart_at_ =
      now + (at_once ? 0 : std::min(kFirstRestartMillis << std::clamp(failures_ - 2, 0, 20), kLongestRestartMillis));
}

void SlotLife::Leave(UnixMillis leave_by) {
  if (!leaving()) leave_by_ = leave_by;
  Take(kLeave);
}

void SlotLife::Answers(UnixMillis now) {
  missed_pings_ = 0;
  next_ping_ = now + kPingMillis;
  if (!Take(kAnswers)) return;
  served_ = true;
  vain_starts_ = 0;
}

bool SlotLife::IsSilent(UnixMillis now) {
  next_ping_ = now + kPingAgainMillis;
  return ++missed_pings_ >= kMostMissedPings;
}

void SlotLife::GivenUp() {
  if (served_) return;
  failures_ += kStartsKilledBySignal;
  vain_starts_ += kStartsKilledBySignal;
}

bool SlotLife::Stuck() const { return !leaving() && !serving() && vain_starts_ >= kStartsKilledBySignal; }

}  // namespace headrace::jobs
