// Batcher: the threads that compute, and how requests share their runs.
//
// Requests for one signature of one version that wait together run together. A request that finds a thread idle and no
// company runs at once; with a batch timeout, one that has company waits for more of it, at most so long.
//
// A small run, for which waking a team of threads would take longer than they save, is computed by one of the threads
// that requests come from, in a lane: as many at a time as there are lanes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/model/servable.h"

namespace headrace::serving {

// TensorFlow Serving's parameters. Its max_batch_size limits requests, and without splitting runs too; here they are
// two.
struct BatchingParameters {
  int64_t max_request_size = int64_t{1} << 40;  // rows of one request; more are refused
  int64_t max_batch_size = 1024;                // rows of one run; a larger request runs in several
  int64_t batch_timeout_micros = 0;
  int64_t max_enqueued_batches = 1000;
  int64_t num_batch_threads = 1;
  // Ascending, the last one max_batch_size: a run is filled up to the next of these with copies of its first row.
  // Empty: any size runs.
  std::vector<int64_t> allowed_batch_sizes;

  int64_t AllowedSize(int64_t rows) const;
};

class Batcher {
 public:
  using Outputs = Result<std::vector<Tensor>>;
  using Done = std::function<void(Outputs)>;  // on a compute thread, or one of `lend`
  // Calls `work` soon, on a thread that may compute for less than a millisecond: not before it returns itself, and
  // behind what that thread has to do already, which may bring company.
  using Lend = std::function<void(std::function<void()> work)>;

  // openmp_threads: for each compute thread. max_lanes: threads that are lent at a time.
  Batcher(const BatchingParameters& parameters, int openmp_threads, size_t max_lanes = 0);
  ~Batcher() { Stop(); }
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Finishes what waits and ends the threads: no `done` is called afterwards. Nothing may be submitted any more.
  void Stop();
  size_t workers() const { return calls_.size(); }
  // Who computes, as Servable::Run counts them: the workers, behind them the lanes.
  size_t runners() const { return workers() + lanes_; }
  std::vector<size_t> lanes() const;
  // Whether the compute threads are as many as the processors, and bound to one each.
  bool bound() const { return bound_; }
  const BatchingParameters& parameters() const { return parameters_; }

  // inputs: rows of one request. An error at once: kUnavailable when max_enqueued_batches wait, kInvalidArgument for a
  // batch that is too large; then `done` is not called. Without `lend` compute threads do all. What is lent may be
  // dropped once Stop is called.
  Status Submit(std::shared_ptr<Servable> servable, size_t signature, std::vector<Tensor> inputs, Done done,
                Lend lend = nullptr);
  // Runs `work(worker)` on every compute thread, between batches, and waits for all.
  void OnEveryWorker(const std::function<void(size_t worker)>& work);

  struct Counters {
    std::atomic<uint64_t> batches{0}, requests{0}, rows{0}, compute_micros{0}, queue_micros{0};
  };
  const Counters& counters() const { return counters_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Task {
    std::vector<Tensor> inputs;
    Done done;
    Lend lend;
    Clock::time_point arrived;
    int64_t rows() const { return inputs[0].dim(0); }
  };
  using Key = std::pair<Servable*, size_t>;
  struct Queue {
    std::shared_ptr<Servable> servable;
    size_t signature = 0;
    std::deque<Task> tasks;
    int64_t rows = 0;
  };
  struct Batch {
    std::shared_ptr<Servable> servable;
    size_t signature = 0;
    std::vector<Task> tasks;
  };

  void Work(size_t worker);
  void RunInLane();
  // Whether the queue's next run belongs into a lane.
  bool IsSmall(const Queue& queue) const;
  // Tells who can take the queue's next run that it is there.
  void Announce(const Queue& queue);
  // The next batch, for a lane or a worker; none until `wake` when queues only wait for company.
  bool Take(bool for_lane, Batch& batch, Clock::time_point& wake);
  void RunBatch(Batch batch, size_t runner);
  // In runs of at most max_batch_size and of allowed sizes.
  Outputs Run(const Batch& batch, const std::vector<Tensor>& inputs, size_t runner) const;

  const BatchingParameters parameters_;
  const size_t lanes_;
  const bool more_processors_;  // than lanes
  const bool bound_;
  Counters counters_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::map<Key, Queue> queues_;
  Key last_{};                                                  // the queue served last: others are first
  std::vector<std::deque<std::function<void(size_t)>>> calls_;  // by worker
  std::vector<size_t> idle_lanes_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace headrace::serving
