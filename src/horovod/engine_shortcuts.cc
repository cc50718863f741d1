// The engine's part in shortcuts: who has which, and how what is under way on them is awaited and taken back.
#include <algorithm>

#include "horovod/engine.h"
#include "horovod/patience.h"

namespace headrace::hvd {

Shortcut* Engine::ShortcutFor(const Collective& collective) {
  const auto found = shortcuts_.find(collective.name);
  return found == shortcuts_.end() || collective.process_set != 0 ? nullptr : found->second.get();
}

void Engine::AddShortcuts(const Response& response, const std::vector<const Collective*>& collectives) {
  const std::lock_guard lock(mutex_);
  const Group& all = *groups_.at(0);
  for (size_t i = 0; i < response.shortcuts.size(); ++i) {
    if (response.shortcuts[i] < 0 || collectives[i] == nullptr) continue;
    const auto place = static_cast<size_t>(response.shortcuts[i]);
    const bool linked = all.machines() > 1;
    std::optional<MachineLinks> links;
    if (linked && all.IsLeader()) links.emplace(all.NewLinks(Shortcut::LaneAt(place)));
    auto& shortcut = shortcuts_[response.names[i]];
    shortcut = std::make_unique<Shortcut>(*collectives[i], shortcut_rooms_.data(), place, machine_,
                                          static_cast<int>(all.size()), linked, std::move(links));
    if (pending_.contains({0, kJoinName})) Leave(*shortcut);
  }
}

// Nothing is under way on it: rank 0 takes it back from the others, too.
void Engine::Leave(Shortcut& shortcut) {
  if (shortcut.is_taken_back()) return;
  shortcut.TakeBack(shortcut.round());
  Request request{RequestKind::kTakeBack, {}};
  request.collective.name = shortcut.name();
  request.collective.shape = {static_cast<int64_t>(shortcut.round())};
  outgoing_.push_back(std::move(request));
  has_outgoing_.store(true);
}

// What cannot be completed, because some rank has another wish, is asked for through the negotiation.
void Engine::TakeBack(const Response& response) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < std::min(response.names.size(), response.counts.size()); ++i)
    if (const auto found = shortcuts_.find(response.names[i]); found != shortcuts_.end())
      found->second->TakeBack(static_cast<uint64_t>(response.counts[i]));
  for (auto entry = on_shortcuts_.begin(); entry != on_shortcuts_.end();) {
    const auto [handle, shortcut] = *entry;
    if (!shortcut->is_abandoned()) {
      ++entry;
      continue;
    }
    Request request{RequestKind::kCollective, *shortcut->under_way()};
    shortcut->Forget();
    pending_[{0, request.collective.name}] = {handle, request.collective, clock_.Now()};
    request.collective.input = nullptr;
    request.collective.output = nullptr;
    outgoing_.push_back(std::move(request));
    ++waiting_;
    entry = on_shortcuts_.erase(entry);
  }
  has_outgoing_.store(!outgoing_.empty());
  machine_.Ring(Bell::kPlan);
}

// The part of this rank in what is exchanged with other machines, of all that is under way.
Result<bool> Engine::AdvanceShortcuts() {
  if (topology_.machines.size() == 1 || topology_.index != 0) return false;
  std::vector<Shortcut*> under_way;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, shortcut] : on_shortcuts_) under_way.push_back(shortcut);
  }
  bool moved = false;
  for (Shortcut* const shortcut : under_way) {
    HEADRACE_ASSIGN(const bool one, shortcut->Advance());
    moved = moved || one;
  }
  return moved;
}

// Nothing, unless the handle's values are all there.
void Engine::FinishShortcut(std::unique_lock<std::mutex>& lock, Handle handle) {
  const auto found = on_shortcuts_.find(handle);
  if (found == on_shortcuts_.end() || !found->second->IsComplete()) return;
  Shortcut& shortcut = *found->second;
  on_shortcuts_.erase(found);
  under_way_.insert(handle);
  lock.unlock();
  shortcut.Finish();
  lock.lock();
  under_way_.erase(handle);
  Outcome outcome;
  outcome.shape = shortcut.under_way()->shape;
  shortcut.Forget();
  outcomes_[handle].emplace(std::move(outcome));
  completed_.notify_all();
}

// Until the handle is on no shortcut any more, or the group has ended.
void Engine::AwaitShortcut(std::unique_lock<std::mutex>& lock, Handle handle) {
  const auto found = on_shortcuts_.find(handle);
  if (found == on_shortcuts_.end()) return;
  const Shortcut& shortcut = *found->second;
  const std::string name = shortcut.name();
  lock.unlock();
  const Status awaited = Await(shortcut, name);
  if (!awaited && shortcut.linked()) Abort(awaited.error().message());  // other machines learn it from rank 0 alone
  if (!awaited) Fail(awaited.error());
  lock.lock();
  FinishShortcut(lock, handle);
  const auto still = on_shortcuts_.find(handle);
  if (awaited || still == on_shortcuts_.end()) return;
  still->second->Forget();
  on_shortcuts_.erase(still);
  outcomes_[handle].emplace(tl::unexpected<Error>(awaited.error()));
}

Status Engine::Await(const Shortcut& shortcut, const std::string& name) {
  std::optional<StallWatch> watch;
  const auto check = [&]() -> Status {
    HEADRACE_TRY(Interrupted());
    if (!watch) watch.emplace(machine_.Watch(fmt::format("allreduce \"{}\"", name)));
    const auto missing = shortcut.Missing();
    if (!missing.empty() || !shortcut.linked())
      return watch->Check(machine_.Describe(missing),
                          missing.empty() || missing.front() != 0 ? machine_.index() == 0 : machine_.index() == 1);
    if (topology_.index == 0) {
      const auto peer = shortcut.peer();
      return peer ? watch->Check({{*peer, topology_.hosts[static_cast<size_t>(*peer)]}}, true) : Status();
    }
    auto leader = machine_.Describe({0});
    leader[0].doing += leader[0].doing.empty() ? "exchanging with other machines" : "; exchanging with other machines";
    return watch->Check(leader, false);
  };
  if (shortcut.linked() && topology_.index == 0) return AwaitMachines(shortcut, check);
  // After the end of the group what comes from other machines is awaited for a moment more.
  const auto over = [&] {
    return shortcut.IsComplete() || shortcut.is_abandoned() || (ended_.load() && !shortcut.linked());
  };
  return machine_.Await(Bell::kPlan, over, check);
}

Status Engine::AwaitMachines(const Shortcut& shortcut, const std::function<Status()>& check) {
  Patience patience;
  while (!shortcut.IsComplete() && !shortcut.is_abandoned()) {
    HEADRACE_ASSIGN(const bool moved, AdvanceShortcuts());
    if (moved) patience.Moved();
    if (!moved && patience.Rest()) HEADRACE_TRY(check());
  }
  return {};
}

// A rank that joins asks for nothing any more, so what it has begun must be over.
void Engine::LeaveShortcuts(std::unique_lock<std::mutex>& lock) {
  while (!on_shortcuts_.empty()) AwaitShortcut(lock, on_shortcuts_.begin()->first);
  for (const auto& [name, shortcut] : shortcuts_) Leave(*shortcut);
}

}  // namespace headrace::hvd
