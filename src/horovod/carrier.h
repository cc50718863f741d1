// Carrier: takes the sums of planned buckets to the other machines, for the leader of a machine. Whoever waits does the
// work; while nobody does, because the program computes, a thread looks after it now and then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "horovod/machine_links.h"
#include "horovod/shm/machine.h"
#include "horovod/stall_watch.h"

namespace headrace::hvd {

// One bucket, step after step.
struct Cargo {
  LinkedReduction reduction;
  std::function<bool()> is_ready;  // the machine's sum is complete
  // Asked while it is not: who holds it up.
  std::function<Status(std::optional<StallWatch>& watch)> missing;
  std::function<void()> done;
};

class Carrier {
 public:
  Carrier(MachineLinks links, Machine& machine, std::function<void(const Error&)> fail);
  ~Carrier();

  // Carried in this order, which is the same on all machines. `cargo` stays where it is until it is done.
  void Add(const Cargo& cargo);
  // Does what can be done at once, unless another thread is at it. Whether something has moved.
  Result<bool> Advance();
  // Until nothing is left to carry, or carrying has failed: before what cargo points to goes away.
  void Drain();
  // For good: what is still to be carried stays.
  void Stop();

 private:
  void Run();
  bool Nap();
  Result<bool> AdvanceAll();
  Result<bool> AdvanceFirst();
  Status Watch();

  MachineLinks links_;
  Machine& machine_;
  const std::function<void(const Error&)> fail_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<const Cargo*> cargoes_;
  std::unique_ptr<LinkedExchange> exchange_;  // of the first of them, once it is ready
  std::optional<StallWatch> watch_;           // of the wait for neighbours, or for another machine
  std::atomic<size_t> left_{0};               // cargoes
  std::atomic<bool> stopping_{false}, failed_{false};
  std::atomic<bool> attended_{false};  // somebody has called Advance since the thread has last looked

  // The thread's naps. A mutex of their own: the other one is hardly ever free while somebody waits.
  std::mutex naps_;
  std::condition_variable woken_;
  std::atomic<bool> dozing_{false};  // it has had nothing to do for a while
  int idle_ = 0;                     // so many of its naps
  std::thread thread_;
};

}  // namespace headrace::hvd
