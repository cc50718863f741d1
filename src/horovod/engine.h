// Engine: the background thread of a rank. It takes the rank's named collectives to the coordinator, and does what the
// coordinator answers to all ranks, in that order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "horovod/collective_trace.h"
#include "horovod/communicator.h"
#include "horovod/group.h"
#include "horovod/negotiation/negotiator.h"
#include "horovod/shortcut.h"

namespace headrace::hvd {

class Engine {
 public:
  // `shortcuts`: of Shortcut::kRoom bytes for each rank of the machine.
  Engine(Transport& transport, Machine& machine, const Topology& topology, Segment windows, Segment shortcuts,
         const Settings& settings, const Clock& clock);
  ~Engine();

  // Any thread. kAlreadyExists when the name is pending here. After the end of the group: the error that tells why.
  Result<Handle> Enqueue(Request request);
  bool Poll(Handle handle);
  Result<Outcome> Synchronize(Handle handle);

  // What happens to named collectives is written there from now on; it outlives the engine.
  void Trace(Timeline& timeline) { trace_.WriteTo(timeline); }

  // The error of the group's end, or nothing while it lasts. For waits outside of the background thread: after a
  // shutdown, what is on its way already has a moment to arrive.
  Status Interrupted() const;
  // Whether it ended with an error, not with shutdown().
  bool HasFailed() const;
  bool HasEnded() const;
  // Ends the group for all ranks, or gives up after a while. What is pending anywhere ends with an error.
  void Shutdown();
  // Ends it on this rank: nothing that waits here can succeed any more. Nothing, when it has ended before.
  void Fail(const Error& error);
  // Ends it for all ranks with the error "rank R (host): reason".
  void Abort(std::string reason);
  // For a thread of the program that has been given the group's end as an error. When the group was aborted, it stays
  // until the programs of all ranks have been told, or a moment at most.
  void PartTogether();

 private:
  using Key = std::pair<int, std::string>;  // process set and name
  static constexpr const char* kJoinName = "join";
  enum class Ending { kShutdown, kFailed, kAborted };
  struct Entry {
    Handle handle = 0;
    Collective collective;
    UnixMillis since = 0;
  };

  void Run();
  Result<bool> Turn();
  Result<bool> SendRequests();
  Result<bool> ReceiveMessages();
  Result<bool> Coordinate();
  Status Perform(const Response& response);
  Status PerformCollective(const Response& response);
  void Rest(bool worked);
  Status Watch();

  // The shortcut for what a rank asks for now, or null.
  Shortcut* ShortcutFor(const Collective& collective);
  void AddShortcuts(const Response& response, const std::vector<const Collective*>& collectives);
  void TakeBack(const Response& response);
  void Leave(Shortcut& shortcut);
  Result<bool> AdvanceShortcuts();
  void FinishShortcut(std::unique_lock<std::mutex>& lock, Handle handle);
  void AwaitShortcut(std::unique_lock<std::mutex>& lock, Handle handle);
  Status Await(const Shortcut& shortcut, const std::string& name);
  Status AwaitMachines(const Shortcut& shortcut, const std::function<Status()>& check);
  void LeaveShortcuts(std::unique_lock<std::mutex>& lock);

  std::vector<std::optional<Entry>> Take(const Response& response);
  void Complete(std::vector<std::optional<Entry>>& entries, std::vector<Result<Outcome>> outcomes);
  bool End(const Error& error, Ending ending);
  void EndParting();

  Transport& transport_;
  Machine& machine_;
  const Topology& topology_;
  const Settings& settings_;
  const Clock& clock_;
  const int rank_;
  Windows windows_;
  const Segment shortcut_rooms_;

  // The background thread's own.
  std::optional<Negotiator> negotiator_;  // rank 0's
  std::map<int, std::unique_ptr<Group>> groups_;
  std::vector<Response> responses_;
  std::chrono::steady_clock::time_point worked_;
  UnixMillis watched_ = 0;

  mutable std::mutex mutex_;
  mutable std::condition_variable completed_;
  Handle next_handle_ = 1;
  std::map<Key, Entry> pending_;
  std::map<int, std::vector<int>> process_sets_;  // as far as they have been made here
  std::vector<Request> outgoing_;
  std::map<Handle, std::optional<Result<Outcome>>> outcomes_;
  std::map<std::string, std::unique_ptr<Shortcut>> shortcuts_;
  std::map<Handle, Shortcut*> on_shortcuts_;
  std::set<Handle> under_way_;  // the background thread reads and writes their memory
  std::optional<Error> end_;
  UnixMillis ended_at_ = 0;
  bool failed_ = false;
  bool parting_ = false;  // the group was aborted, and not all programs have been told
  bool told_ = false;     // this one has
  CollectiveTrace trace_;
  std::atomic<bool> has_outgoing_{false};
  std::atomic<bool> stopping_{false}, ended_{false};
  std::atomic<int> waiting_{0};  // pending handles
  std::thread thread_;
};

}  // namespace headrace::hvd
