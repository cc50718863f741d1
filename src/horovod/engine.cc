#include "horovod/engine.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "horovod/perform.h"
#include "horovod/precise_sleep.h"

namespace headrace::hvd {
namespace {

constexpr auto kShutdownLimit = std::chrono::seconds(5);

std::string Describe(const Response& response) {
  const std::string more = response.names.size() > 1 ? fmt::format(" and {} more", response.names.size() - 1) : "";
  return fmt::format("{} \"{}\"{}", NameOf(response.collective.type), response.names.front(), more);
}

}  // namespace

Engine::Engine(Transport& transport, Machine& machine, const Topology& topology, Segment windows, Segment shortcuts,
               const Settings& settings, const Clock& clock)
    : transport_(transport),
      machine_(machine),
      topology_(topology),
      settings_(settings),
      clock_(clock),
      rank_(transport.place().rank),
      windows_(std::move(windows), machine),
      shortcut_rooms_(std::move(shortcuts)) {
  auto& all = process_sets_[0];
  all.resize(static_cast<size_t>(transport.place().size));
  std::iota(all.begin(), all.end(), 0);
  size_t largest = 0;
  for (const auto& members : topology.machines) largest = std::max(largest, members.size());
  if (rank_ == 0)
    negotiator_.emplace(topology.hosts, settings, ShortcutPlaces{Shortcut::kRoom, largest, topology.machines.size()});
  const GroupContext context{topology_, machine_, windows_, transport_, settings_, clock_, [this] {
                               machine_.Beat();
                               return Interrupted();
                             }};
  groups_[0] = std::make_unique<Group>(context, all);
  thread_ = std::thread([this] { Run(); });
}

Engine::~Engine() { Shutdown(); }

Result<Handle> Engine::Enqueue(Request request) {
  std::unique_lock lock(mutex_);
  if (request.collective.type == CollectiveType::kJoin) LeaveShortcuts(lock);
  if (end_) {
    lock.unlock();
    PartTogether();
    return tl::unexpected<Error>(*end_);
  }
  const Collective& collective = request.collective;
  const auto set = process_sets_.find(request.kind == RequestKind::kCollective ? collective.process_set : 0);
  if (set == process_sets_.end())
    return headrace::Fail(ErrorCode::kInvalidArgument, "{} \"{}\": there is no process set {}", NameOf(collective.type),
                          collective.name, collective.process_set);
  if (!std::binary_search(set->second.begin(), set->second.end(), rank_))
    return headrace::Fail(ErrorCode::kInvalidArgument, "{} \"{}\": rank {} is not in process set {}",
                          NameOf(collective.type), collective.name, rank_, collective.process_set);
  // All ranks meet in one join, whatever they call it.
  if (collective.type == CollectiveType::kJoin) request.collective.name = kJoinName;
  const Key key{set->first, collective.name};
  Shortcut* const shortcut = ShortcutFor(collective);
  if (pending_.contains(key) || (shortcut != nullptr && shortcut->under_way()))
    return headrace::Fail(ErrorCode::kAlreadyExists, "{} \"{}\": this rank has one of that name already under way",
                          NameOf(collective.type), collective.name);
  const Handle handle = next_handle_++;
  if (shortcut != nullptr && shortcut->Serves(collective) && !trace_.active()) {  // a timeline shows negotiations
    outcomes_[handle];
    on_shortcuts_[handle] = shortcut;
    shortcut->Begin(collective);
    return handle;
  }
  if (shortcut != nullptr) Leave(*shortcut);
  pending_[key] = {handle, collective, clock_.Now()};
  if (request.kind == RequestKind::kCollective) trace_.Enqueued(collective);
  outcomes_[handle];
  request.collective.input = nullptr;
  request.collective.output = nullptr;
  outgoing_.push_back(std::move(request));
  has_outgoing_.store(true);
  ++waiting_;
  machine_.Ring(Bell::kBackground);
  return handle;
}

bool Engine::Poll(Handle handle) {
  if (const auto advanced = AdvanceShortcuts(); !advanced) Fail(advanced.error());
  std::unique_lock lock(mutex_);
  FinishShortcut(lock, handle);
  const auto found = outcomes_.find(handle);
  return found == outcomes_.end() || found->second.has_value();
}

Result<Outcome> Engine::Synchronize(Handle handle) {
  std::unique_lock lock(mutex_);
  AwaitShortcut(lock, handle);
  const auto is_over = [&] {
    const auto found = outcomes_.find(handle);
    return found == outcomes_.end() || found->second.has_value();
  };
  completed_.wait(lock, is_over);
  const auto found = outcomes_.find(handle);
  if (found == outcomes_.end())
    return headrace::Fail(ErrorCode::kInvalidArgument, "handle {}: unknown, or synchronized before", handle);
  Result<Outcome> outcome = std::move(*found->second);
  outcomes_.erase(found);
  const bool ended = !outcome && end_.has_value();
  lock.unlock();
  if (ended) PartTogether();
  return outcome;
}

Status Engine::Interrupted() const {
  constexpr int64_t kMoment = 2'000;
  const std::lock_guard lock(mutex_);
  if (!end_ || (!failed_ && clock_.Now() - ended_at_ < kMoment)) return {};
  return tl::unexpected<Error>(*end_);
}

bool Engine::HasFailed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

bool Engine::HasEnded() const {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

void Engine::Shutdown() {
  {
    std::unique_lock lock(mutex_);
    if (!end_) {
      outgoing_.push_back({RequestKind::kShutdown, {}});
      has_outgoing_.store(true);
      machine_.Ring(Bell::kBackground);
      completed_.wait_for(lock, kShutdownLimit, [this] { return end_.has_value(); });
    }
  }
  PartTogether();
  End(Error(ErrorCode::kUnavailable, "hvd: shut down, although rank 0 did not answer"), Ending::kShutdown);
  if (thread_.joinable()) thread_.join();
}

void Engine::Fail(const Error& error) {
  if (End(error, Ending::kFailed)) machine_.Leave(true);
}

void Engine::Abort(std::string reason) {
  {
    std::unique_lock lock(mutex_);
    if (!end_) {
      outgoing_.push_back({RequestKind::kAbort, {}, reason});
      has_outgoing_.store(true);
      machine_.Ring(Bell::kBackground);
      completed_.wait_for(lock, kShutdownLimit, [this] { return end_.has_value(); });
    }
  }
  PartTogether();
  Fail(Error(ErrorCode::kUnavailable, std::move(reason)));  // if rank 0 has not answered
}

void Engine::PartTogether() {
  std::unique_lock lock(mutex_);
  if (!parting_) return;
  if (!std::exchange(told_, true)) {
    outgoing_.push_back({RequestKind::kTold});
    has_outgoing_.store(true);
    machine_.Ring(Bell::kBackground);
  }
  completed_.wait(lock, [this] { return !parting_; });  // the background thread sees to that
}

// The neighbours learn of a rank that has left after an error within a moment, but not why; so it does not leave yet.
void Engine::EndParting() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(parting_, false)) return;
  }
  machine_.Leave(true);
  completed_.notify_all();
}

// False if it has an end.
bool Engine::End(const Error& error, Ending ending) {
  {
    const std::lock_guard lock(mutex_);
    if (end_) return false;
    end_ = error;
    ended_at_ = clock_.Now();
    failed_ = ending != Ending::kShutdown;
    parting_ = ending == Ending::kAborted;
    // What has left another machine before its shutdown is on its way.
    std::erase_if(on_shortcuts_, [ending](const auto& entry) {
      return !entry.second->IsComplete() && !(entry.second->linked() && ending == Ending::kShutdown);
    });
    for (auto& [handle, outcome] : outcomes_)
      if (!outcome && !under_way_.contains(handle) && !on_shortcuts_.contains(handle))
        outcome.emplace(tl::unexpected<Error>(error));
    pending_.clear();
    ended_.store(true);
    waiting_ = static_cast<int>(under_way_.size());
    stopping_.store(!parting_);
  }
  completed_.notify_all();
  machine_.Ring(Bell::kBackground);
  machine_.Ring(Bell::kPlan);
  return true;
}

void Engine::Run() {
  SleepPrecisely();
  while (!stopping_.load()) {
    machine_.Beat();
    const auto worked = Turn();
    if (!worked) {
      if (HasEnded()) break;  // the error is an answer to the end itself
      if (waiting_.load() == 0) Log(LogLevel::kError, "{}", worked.error().message());  // nobody else will tell it
      Fail(worked.error());
      break;
    }
    Rest(*worked);
  }
  EndParting();
}

Result<bool> Engine::Turn() {
  HEADRACE_ASSIGN(const bool sent, SendRequests());
  HEADRACE_ASSIGN(const bool received, ReceiveMessages());
  HEADRACE_ASSIGN(const bool answered, Coordinate());
  const auto responses = std::exchange(responses_, {});
  for (const Response& response : responses) HEADRACE_TRY(Perform(response));
  HEADRACE_TRY(AdvanceShortcuts());
  HEADRACE_TRY(Watch());
  return sent || received || answered || !responses.empty();
}

// The coordinator names ranks that are missing, and ends what they hold up. What it cannot do is to tell that it is the
// one that is gone.
Status Engine::Watch() {
  constexpr int64_t kEvery = 100, kGrace = 5'000;
  const UnixMillis now = clock_.Now();
  const std::lock_guard lock(mutex_);
  if (end_ && now - ended_at_ > settings_.parting_limit_ms) stopping_.store(true);
  if (end_ || now - watched_ < kEvery || pending_.empty()) return {};
  watched_ = now;
  std::vector<int> others;
  for (int member = 0; member < machine_.size(); ++member)
    if (member != machine_.index()) others.push_back(member);
  const auto oldest = std::min_element(pending_.begin(), pending_.end(),
                                       [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
  const std::string what = fmt::format("{} \"{}\"", NameOf(oldest->second.collective.type), oldest->first.second);
  for (const Absent& absent : machine_.Describe(others))
    if (absent.ended || absent.failed) HEADRACE_TRY(machine_.Watch(what).Check({absent}, false));
  const bool bounded = settings_.stall_limit_ms != 0 && oldest->second.collective.type != CollectiveType::kJoin;
  if (rank_ != 0 && bounded && now - oldest->second.since > settings_.stall_limit_ms + kGrace)
    return headrace::Fail(ErrorCode::kUnavailable, "{}: rank 0 ({}) has not answered {} for {} s", what,
                          topology_.hosts[0], machine_.self(), (now - oldest->second.since) / 1000);
  return {};
}

Result<bool> Engine::SendRequests() {
  std::vector<Request> requests;
  {
    const std::lock_guard lock(mutex_);
    requests.swap(outgoing_);
    has_outgoing_.store(false);
  }
  for (Request& request : requests) {
    if (negotiator_ && request.kind == RequestKind::kCollective) trace_.AskedBy(rank_, request.collective.name);
    if (negotiator_)
      negotiator_->Add(rank_, std::move(request), clock_.Now());
    else
      HEADRACE_TRY(transport_.Send(0, Encode(request)));
  }
  if (!requests.empty()) machine_.Ring(Bell::kBackground);
  return !requests.empty();
}

Result<bool> Engine::ReceiveMessages() {
  bool received = false;
  while (true) {
    HEADRACE_ASSIGN(auto message, transport_.Receive());
    if (!message) return received;
    received = true;
    if (negotiator_) {
      HEADRACE_ASSIGN(Request request, DecodeRequest(message->bytes));
      if (request.kind == RequestKind::kCollective) trace_.AskedBy(message->from, request.collective.name);
      negotiator_->Add(message->from, std::move(request), clock_.Now());
    } else {
      HEADRACE_ASSIGN(Response response, DecodeResponse(message->bytes));
      responses_.push_back(std::move(response));
    }
  }
}

Result<bool> Engine::Coordinate() {
  if (!negotiator_) return false;
  auto responses = negotiator_->Step(clock_.Now());
  for (Response& response : responses) {
    const std::string bytes = Encode(response);
    for (int rank = 1; rank < transport_.place().size; ++rank) HEADRACE_TRY(transport_.Send(rank, bytes));
    responses_.push_back(std::move(response));
  }
  if (!responses.empty()) machine_.Ring(Bell::kBackground);
  return !responses.empty();
}

std::vector<std::optional<Engine::Entry>> Engine::Take(const Response& response) {
  const std::lock_guard lock(mutex_);
  std::vector<std::optional<Entry>> entries;
  for (const auto& name : response.names) {
    const auto found = pending_.find({response.collective.process_set, name});
    entries.emplace_back();
    if (found == pending_.end()) continue;
    entries.back() = std::move(found->second);
    under_way_.insert(entries.back()->handle);
    pending_.erase(found);
  }
  return entries;
}

void Engine::Complete(std::vector<std::optional<Entry>>& entries, std::vector<Result<Outcome>> outcomes) {
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i]) continue;
      under_way_.erase(entries[i]->handle);
      const auto found = outcomes_.find(entries[i]->handle);
      if (found == outcomes_.end() || found->second) continue;
      found->second.emplace(std::move(outcomes[i]));
      --waiting_;
    }
  }
  completed_.notify_all();
}

Status Engine::Perform(const Response& response) {
  switch (response.kind) {
    case ResponseKind::kCollective:
      return PerformCollective(response);
    case ResponseKind::kError: {
      auto entries = Take(response);
      Complete(entries, std::vector<Result<Outcome>>(
                            entries.size(), tl::unexpected<Error>(Error(ErrorCode::kInvalidArgument, response.error))));
      return {};
    }
    case ResponseKind::kEnd:
      return headrace::Fail(ErrorCode::kUnavailable, "{}", response.error);
    case ResponseKind::kShutdown: {
      const int rank = response.ranks.empty() ? 0 : response.ranks.front();
      machine_.Leave(false);
      End(Error(ErrorCode::kUnavailable, fmt::format("hvd: rank {} ({}) has called shutdown()", rank,
                                                     topology_.hosts[static_cast<size_t>(rank)])),
          Ending::kShutdown);
      return {};
    }
    case ResponseKind::kAbort:
      End(Error(ErrorCode::kUnavailable, response.error), Ending::kAborted);
      return {};
    case ResponseKind::kTakeBack:
      TakeBack(response);
      return {};
    case ResponseKind::kParted:
      stopping_.store(true);
      return {};
    case ResponseKind::kAddProcessSet: {
      const bool member = std::binary_search(response.ranks.begin(), response.ranks.end(), rank_);
      if (member) {
        const GroupContext context = groups_[0]->context();
        groups_[response.number] = std::make_unique<Group>(context, response.ranks);
      }
      const std::lock_guard lock(mutex_);
      process_sets_[response.number] = response.ranks;
      break;
    }
    case ResponseKind::kRemoveProcessSet: {
      groups_.erase(response.number);
      const std::lock_guard lock(mutex_);
      process_sets_.erase(response.number);
      break;
    }
  }
  auto entries = Take(response);
  Outcome outcome;
  outcome.shape = {response.number};
  Complete(entries, {std::move(outcome)});
  return {};
}

Status Engine::PerformCollective(const Response& response) {
  const auto found = groups_.find(response.collective.process_set);
  if (found == groups_.end()) return {};  // of a set that this rank is not in
  auto entries = Take(response);
  std::vector<const Collective*> collectives;
  for (const auto& entry : entries) collectives.push_back(entry ? &entry->collective : nullptr);
  trace_.Began(collectives, topology_.machines.size() > 1);
  auto outcomes = PerformOn(*found->second, response, collectives, Describe(response));
  trace_.Ended(collectives);
  if (!outcomes) {
    Complete(entries, std::vector<Result<Outcome>>(entries.size(), tl::unexpected<Error>(outcomes.error())));
    return tl::unexpected<Error>(std::move(outcomes.error()));
  }
  AddShortcuts(response, collectives);
  std::vector<Result<Outcome>> results;
  for (auto& outcome : *outcomes) results.emplace_back(std::move(outcome));
  Complete(entries, std::move(results));
  return {};
}

// While messages come, it looks for the next one at once; then more and more seldom. Neighbours ring when they have
// sent something, other machines cannot.
void Engine::Rest(bool worked) {
  using std::chrono::steady_clock;
  const auto now = steady_clock::now();
  if (worked) worked_ = now;
  const auto idle = now - worked_;
  if (idle < std::chrono::microseconds(50)) {
    std::this_thread::yield();
    return;
  }
  if (idle < std::chrono::milliseconds(2)) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
    return;
  }
  const bool neighbours_only = topology_.machines.size() == 1;
  const auto limit = std::chrono::milliseconds(waiting_.load() > 0 ? 1 : neighbours_only ? 50 : 2);
  machine_.Sleep(
      Bell::kBackground, [this] { return has_outgoing_.load() || stopping_.load(); }, limit);
}

}  // namespace headrace::hvd
