// Carrier: the thread of a machine's leader that takes the sums of planned buckets to the other machines while the
// program computes.
#pragma once

#include <atomic>
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
  // While one lives, somebody waits for what is carried. Of a null carrier: nothing.
  class Waiting {
   public:
    explicit Waiting(Carrier* carrier) : carrier_(carrier) {
      if (carrier_ != nullptr) ++carrier_->waiting_;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      if (carrier_ != nullptr) --carrier_->waiting_;
    }

   private:
    Carrier* const carrier_;
  };

  Carrier(MachineLinks links, Machine& machine, std::function<void(const Error&)> fail);
  ~Carrier();

  // Carried in this order, which is the same on all machines. Little cargo waits for more, or for Help.
  void Add(Cargo cargo);
  // Carries what is next in the calling thread, which has nothing else to do. False when that is not ready, or the
  // thread is at it.
  Result<bool> Help();
  bool CanHelp();
  // The thread carries what there is, little or not.
  void Wake();
  // Until nothing is left to carry, or the thread has failed: before what cargo points to goes away.
  void Drain();
  // For good: what is still to be carried stays.
  void Stop();

 private:
  void Run();
  bool FirstIsReady() const;
  Status CarryFirst(std::unique_lock<std::mutex>& lock);
  Status Carry(const Cargo& cargo);

  MachineLinks links_;
  Machine& machine_;
  const std::function<void(const Error&)> fail_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Cargo> cargoes_;
  bool stopping_ = false, failed_ = false;
  bool awake_ = false;     // the thread is wanted
  bool carrying_ = false;  // somebody carries the first one
  std::atomic<int> waiting_{0};
  std::thread thread_;
};

}  // namespace headrace::hvd
