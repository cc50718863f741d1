// CorePool: the cores of this machine and who computes on them. Hosts of training jobs have theirs for themselves among
// such hosts; model servers share theirs with others, and go where the fewest are.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace headrace::jobs {

class CorePool;

// Cores that are taken until this is gone, or Release().
class CoreLease {
 public:
  CoreLease() = default;  // of none
  CoreLease(CoreLease&& other) noexcept;
  CoreLease& operator=(CoreLease&& other) noexcept;
  ~CoreLease() { Release(); }

  // In order; empty when nothing was taken, or when not every place of the lease has a core of its own: whoever has it
  // runs on all.
  std::vector<int> cores() const;
  // What CorePool::Retake finds the lease again by.
  const std::vector<int>& places() const { return places_; }
  void Release();

 private:
  friend class CorePool;
  CoreLease(CorePool* pool, std::vector<int> places, bool alone)
      : pool_(pool), places_(std::move(places)), alone_(alone) {}

  CorePool* pool_ = nullptr;
  std::vector<int> places_;
  bool alone_ = false;  // among jobs
};

// Any thread. The pool outlives its leases.
class CorePool {
 public:
  // `cores`: their numbers, at least one. `for_jobs`: how many of them Take() may give away together; 0: all. When
  // these are more than there are cores, the rest are places without a core.
  explicit CorePool(std::vector<int> cores, int for_jobs = 0);

  int for_jobs() const { return for_jobs_; }
  int taken();  // of them, now

  // As many cores for each as `counts` says, disjoint from each other and from what others have taken; nullopt when not
  // all of them are free. Those that fewest share come first, of these the highest.
  std::optional<std::vector<CoreLease>> Take(const std::vector<int>& counts);
  // What a lease of an earlier process had, so far as it is free, and others in the place of what is not: `count`
  // altogether, less when no more are free.
  CoreLease Retake(const std::vector<int>& places, int count);

  // `count` cores, or all when there are fewer; 0: all. Others may have them, too.
  CoreLease Share(int count);

 private:
  friend class CoreLease;
  struct Use {
    bool taken = false;  // by a job
    int users = 0;       // leases of either kind
  };

  std::vector<int> FreePlaces() const;  // the best first
  CoreLease Occupy(std::vector<int> places, bool alone);
  void GiveBack(const std::vector<int>& places, bool alone);

  const int for_jobs_;
  std::mutex mutex_;
  int taken_ = 0;
  std::map<int, Use> places_;  // by the core; negative: a place without one
};

// The cores that the calling thread may run on; {0} when it cannot be asked.
std::vector<int> CoresOfThisProcess();

}  // namespace headrace::jobs
