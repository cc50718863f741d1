// Negotiator: rank 0's table of who has asked for what. A collective is answered once all its ranks have asked for it,
// and asked for the same. Holds no thread and no clock.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "horovod/negotiation/messages.h"
#include "horovod/negotiation/shortcut_offers.h"
#include "horovod/settings.h"

namespace headrace::hvd {

class Negotiator {
 public:
  // hosts: by rank.
  Negotiator(std::vector<std::string> hosts, const Settings& settings, const ShortcutPlaces& shortcuts = {});

  void Add(int rank, Request request, UnixMillis now);
  // What is to be done now, in this order.
  std::vector<Response> Step(UnixMillis now);

 private:
  using Key = std::pair<int, std::string>;  // process set and name

  // A collective that some of its ranks have asked for.
  struct Pending {
    std::map<int, Request> by_rank;
    UnixMillis since = 0;
    UnixMillis warned = 0;
    const Request& first() const { return by_rank.begin()->second; }
  };

  std::string NameOfRank(int rank) const;
  const std::vector<int>* RanksOf(int process_set) const;
  std::vector<int> MissingOf(const Key& key, const Pending& pending) const;
  bool IsComplete(const Key& key, const Pending& pending) const;
  bool GroupIsComplete(const Collective& collective) const;
  // The error that ranks who disagree get, or nothing.
  std::optional<std::string> Disagreement(const Key& key, const Pending& pending) const;
  Response Answer(const Key& key, const Pending& pending);
  Response AnswerCollective(const Key& key, const Pending& pending) const;
  void Fuse(std::vector<Response>& responses, Response next) const;
  void AnswerJoin(std::vector<Response>& responses);
  void WatchStalls(UnixMillis now, std::vector<Response>& responses);
  std::vector<Response> StepOfAborted();

  const std::vector<std::string> hosts_;
  const Settings& settings_;
  std::map<int, std::vector<int>> process_sets_;  // sorted ranks by number
  int next_process_set_ = 1;
  std::map<Key, Pending> pending_;
  std::vector<Key> touched_;  // asked for since the last step, in the order of the messages
  ShortcutOffers offers_;
  std::map<int, Request> joined_;
  int last_joined_ = -1;
  std::optional<int> shut_down_by_;
  std::string aborted_;  // why, or empty
  bool abort_answered_ = false;
  std::set<int> told_;  // ranks whose programs know that
};

}  // namespace headrace::hvd
