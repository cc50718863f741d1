#include "horovod/negotiation/negotiator.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "horovod/negotiation/agreement.h"

namespace headrace::hvd {
namespace {

int64_t CountOf(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

// To those who wait for `name` in a process set.
Response ErrorFor(CollectiveType type, int process_set, const std::string& name, std::string text) {
  Response response{ResponseKind::kError, {}, {name}};
  response.collective.type = type;
  response.collective.process_set = process_set;
  response.error = std::move(text);
  return response;
}

bool TravelTogether(const Collective& a, const Collective& b) {
  return a.type == CollectiveType::kAllreduce && b.type == a.type && a.op != ReduceOp::kAdasum && a.op == b.op &&
         a.dtype == b.dtype && a.process_set == b.process_set && a.prescale == b.prescale &&
         a.postscale == b.postscale && a.compression == b.compression;
}

}  // namespace

Negotiator::Negotiator(std::vector<std::string> hosts, const Settings& settings, const ShortcutPlaces& shortcuts)
    : hosts_(std::move(hosts)), settings_(settings), offers_(shortcuts, static_cast<size_t>(settings.cache_capacity)) {
  auto& all = process_sets_[0];
  all.resize(hosts_.size());
  std::iota(all.begin(), all.end(), 0);
}

std::string Negotiator::NameOfRank(int rank) const {
  return fmt::format("rank {} ({})", rank, hosts_[static_cast<size_t>(rank)]);
}

const std::vector<int>* Negotiator::RanksOf(int process_set) const {
  const auto found = process_sets_.find(process_set);
  return found == process_sets_.end() ? nullptr : &found->second;
}

void Negotiator::Add(int rank, Request request, UnixMillis now) {
  if (request.kind == RequestKind::kShutdown) {
    if (!shut_down_by_) shut_down_by_ = rank;
    return;
  }
  if (request.kind == RequestKind::kAbort) {
    if (aborted_.empty()) aborted_ = fmt::format("{}: {}", NameOfRank(rank), request.reason);
    return;
  }
  if (request.kind == RequestKind::kTold) {
    told_.insert(rank);
    return;
  }
  const Collective& collective = request.collective;
  if (request.kind == RequestKind::kTakeBack) {
    if (!collective.shape.empty()) offers_.TakeBack(collective.name, collective.shape.front());
    return;
  }
  if (request.kind == RequestKind::kCollective && collective.type == CollectiveType::kJoin) {
    joined_.insert_or_assign(rank, std::move(request));
    last_joined_ = rank;
    for (const auto& [key, pending] : pending_) touched_.push_back(key);  // it may be complete without this rank
    return;
  }
  // Sets are made and removed by all ranks.
  const int meets_in = request.kind == RequestKind::kCollective ? collective.process_set : 0;
  const Key key{meets_in, collective.name};
  Pending& pending = pending_[key];
  if (pending.by_rank.empty()) pending.since = pending.warned = now;
  pending.by_rank.insert_or_assign(rank, std::move(request));
  touched_.push_back(key);
}

std::vector<int> Negotiator::MissingOf(const Key& key, const Pending& pending) const {
  std::vector<int> missing;
  if (const auto* ranks = RanksOf(key.first))
    for (const int rank : *ranks)
      if (!pending.by_rank.contains(rank) && !joined_.contains(rank)) missing.push_back(rank);
  return missing;
}

bool Negotiator::IsComplete(const Key& key, const Pending& pending) const { return MissingOf(key, pending).empty(); }

bool Negotiator::GroupIsComplete(const Collective& collective) const {
  int complete = 0;
  for (const auto& [key, pending] : pending_)
    if (key.first == collective.process_set && pending.first().collective.group == collective.group &&
        IsComplete(key, pending))
      ++complete;
  return complete >= collective.group_size;
}

std::optional<std::string> Negotiator::Disagreement(const Key& key, const Pending& pending) const {
  const Request& wanted = pending.first();
  const auto name_of = [this](int rank) { return NameOfRank(rank); };
  for (const auto& [rank, request] : pending.by_rank)
    if (const auto difference = Difference(wanted, request))
      return fmt::format("{} \"{}\": {} has {} {}, {} has {}", NameOf(request.collective.type), key.second,
                         NameOfRank(rank), difference->what, difference->second,
                         NameOfRank(pending.by_rank.begin()->first), difference->first);
  if (const auto* ranks = RanksOf(key.first)) return Impossible(wanted, pending.by_rank, *ranks, joined_, name_of);
  return fmt::format("{} \"{}\": there is no process set {}", NameOf(wanted.collective.type), key.second, key.first);
}

Response Negotiator::AnswerCollective(const Key& key, const Pending& pending) const {
  Response response{ResponseKind::kCollective, pending.first().collective, {key.second}};
  response.collective.name.clear();
  response.counts = {CountOf(pending.first().collective.shape)};
  const auto type = response.collective.type;
  if (type != CollectiveType::kAllgather && type != CollectiveType::kAlltoall) return response;
  const size_t members = RanksOf(key.first)->size();
  for (const auto& [rank, request] : pending.by_rank) {
    const auto& [shape, splits] = std::tie(request.collective.shape, request.collective.splits);
    if (type == CollectiveType::kAllgather)
      response.rows.push_back(shape[0]);
    else if (!splits.empty())
      response.rows.insert(response.rows.end(), splits.begin(), splits.end());
    else
      response.rows.insert(response.rows.end(), members, shape[0] / static_cast<int64_t>(members));
  }
  return response;
}

Response Negotiator::Answer(const Key& key, const Pending& pending) {
  const Request& request = pending.first();
  const auto error = [&](std::string text) {
    return ErrorFor(request.collective.type, key.first, key.second, std::move(text));
  };
  if (auto text = Disagreement(key, pending)) return error(std::move(*text));
  if (request.kind == RequestKind::kCollective) {
    Response answer = AnswerCollective(key, pending);
    answer.shortcuts = {pending.by_rank.size() == hosts_.size() ? offers_.Offer(request.collective) : -1};
    return answer;
  }
  Response response;
  response.names = {key.second};
  if (request.kind == RequestKind::kAddProcessSet) {
    response.kind = ResponseKind::kAddProcessSet;
    response.ranks.assign(request.collective.shape.begin(), request.collective.shape.end());
    response.number = next_process_set_++;
    process_sets_[response.number] = response.ranks;
    return response;
  }
  const int removed = request.collective.process_set;
  if (removed == 0 || process_sets_.erase(removed) == 0)
    return error(fmt::format("process set {}: there is none of this number to remove", removed));
  for (const auto& [other, waiting] : pending_)
    if (other.first == removed) touched_.push_back(other);  // an error for who waits for something in it
  response.kind = ResponseKind::kRemoveProcessSet;
  response.number = removed;
  return response;
}

void Negotiator::Fuse(std::vector<Response>& responses, Response next) const {
  if (!responses.empty() && next.kind == ResponseKind::kCollective) {
    Response& last = responses.back();
    const auto bytes = [&](const Response& response) {
      return std::accumulate(response.counts.begin(), response.counts.end(), int64_t{0}) *
             static_cast<int64_t>(SizeOf(response.collective.dtype));
    };
    if (last.kind == ResponseKind::kCollective && TravelTogether(last.collective, next.collective) &&
        bytes(last) + bytes(next) <= settings_.fusion_bytes) {
      last.names.push_back(std::move(next.names.front()));
      last.counts.push_back(next.counts.front());
      last.shortcuts.push_back(next.shortcuts.front());
      return;
    }
  }
  responses.push_back(std::move(next));
}

void Negotiator::AnswerJoin(std::vector<Response>& responses) {
  if (joined_.size() < hosts_.size()) return;
  Response response{ResponseKind::kCollective};
  response.collective.type = CollectiveType::kJoin;
  response.names = {joined_.begin()->second.collective.name};
  response.number = last_joined_;
  responses.push_back(std::move(response));
  joined_.clear();
}

// Nothing else is answered any more: first why, then that all know it.
std::vector<Response> Negotiator::StepOfAborted() {
  std::vector<Response> responses;
  if (!std::exchange(abort_answered_, true)) {
    Response abort{ResponseKind::kAbort};
    abort.error = aborted_;
    responses.push_back(std::move(abort));
  }
  if (told_.size() == hosts_.size()) {
    responses.push_back(Response{ResponseKind::kParted});
    told_.clear();
  }
  return responses;
}

std::vector<Response> Negotiator::Step(UnixMillis now) {
  if (!aborted_.empty()) return StepOfAborted();
  std::vector<Response> responses;
  if (auto taken = offers_.TakenBack(); !taken.empty()) {
    responses.push_back(Response{ResponseKind::kTakeBack});
    for (auto& [name, rounds] : taken) {
      responses.back().names.push_back(std::move(name));
      responses.back().counts.push_back(rounds);
    }
  }
  for (const Key& key : std::exchange(touched_, {})) {
    const auto found = pending_.find(key);
    if (found == pending_.end() || !IsComplete(key, found->second)) continue;
    const Collective collective = found->second.first().collective;
    if (collective.group.empty()) {
      Fuse(responses, Answer(key, found->second));
      pending_.erase(found);
      continue;
    }
    if (!GroupIsComplete(collective)) continue;
    for (auto member = pending_.begin(); member != pending_.end();) {
      const bool belongs =
          member->first.first == key.first && member->second.first().collective.group == collective.group;
      if (belongs) Fuse(responses, Answer(member->first, member->second));
      member = belongs ? pending_.erase(member) : std::next(member);
    }
  }
  AnswerJoin(responses);
  WatchStalls(now, responses);
  if (shut_down_by_) {
    Response response{ResponseKind::kShutdown};
    response.ranks = {*shut_down_by_};
    responses.push_back(std::move(response));
  }
  return responses;
}

void Negotiator::WatchStalls(UnixMillis now, std::vector<Response>& responses) {
  constexpr size_t kShown = 6;
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    const auto& [key, pending] = *entry;
    const int64_t waited = now - pending.since;
    const bool warns = settings_.stall_warning_ms != 0 && now - pending.warned >= settings_.stall_warning_ms;
    const bool ends = settings_.stall_limit_ms != 0 && waited >= settings_.stall_limit_ms;
    if (!warns && !ends) {
      ++entry;
      continue;
    }
    const auto missing = MissingOf(key, pending);
    std::string names;
    for (size_t i = 0; i < missing.size() && i < kShown; ++i) names += (i > 0 ? ", " : "") + NameOfRank(missing[i]);
    if (missing.size() > kShown) names += " ...";
    if (missing.empty()) names = "the rest of the group " + pending.first().collective.group;
    const std::string text =
        fmt::format("{} \"{}\": {} of {} ranks have waited {} s for {}", NameOf(pending.first().collective.type),
                    key.second, pending.by_rank.size(), pending.by_rank.size() + missing.size(), waited / 1000, names);
    entry->second.warned = now;
    if (!ends) {
      Log(LogLevel::kWarning, "{}", text);
      ++entry;
      continue;
    }
    Response end{ResponseKind::kEnd};
    end.error = text + "; HOROVOD_STALL_SHUTDOWN_TIME_SECONDS sets how long a rank may be missing";
    responses.push_back(std::move(end));
    entry = pending_.erase(entry);
  }
}

}  // namespace headrace::hvd
