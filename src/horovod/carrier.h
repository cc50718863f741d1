// Carrier: the thread of a machine's leader that takes the sums of planned buckets to the other machines while the
// program computes.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "horovod/machine_links.h"
#include "horovod/shm/machine.h"

namespace headrace::hvd {

// One bucket of one step.
struct Cargo {
  LinkedReduction reduction;
  std::function<bool()> is_ready;   // the machine's sum is complete
  std::function<Status()> missing;  // asked while it is not: who holds it up
  Flag* done = nullptr;             // raised to `step`
  uint64_t step = 0;
};

class Carrier {
 public:
  Carrier(MachineLinks links, Machine& machine, std::function<void(const Error&)> fail);
  ~Carrier();

  // Carried in this order, which is the same on all machines.
  void Add(Cargo cargo);
  // Until nothing is left to carry, or the thread has failed: before what cargo points to goes away.
  void Drain();
  // For good: what is still to be carried stays.
  void Stop();

 private:
  void Run();
  Status Carry(const Cargo& cargo);

  MachineLinks links_;
  Machine& machine_;
  const std::function<void(const Error&)> fail_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Cargo> cargoes_;
  bool stopping_ = false, failed_ = false;
  std::thread thread_;
};

}  // namespace headrace::hvd
