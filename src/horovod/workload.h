// Workload: the slices of planned buckets that this rank has still to add up, of all its plans. Whoever waits for one
// plan works on all: ranks that wait for different plans wait for each other.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>

namespace headrace::hvd {

class Workload {
 public:
  struct Slice {
    const void* plan = nullptr;
    std::function<bool()> is_ready;  // all neighbours' values are there
    std::function<void()> reduce;
  };

  void Add(Slice slice);
  bool HasReady();
  void DoReady();
  // What is left of a plan that goes away.
  void Drop(const void* plan);

 private:
  std::mutex mutex_;
  std::deque<Slice> slices_;      // as they were started
  std::atomic<size_t> count_{0};  // of them: mostly there are none, and whoever looks need not lock
};

}  // namespace headrace::hvd
