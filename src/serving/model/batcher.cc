#include "serving/model/batcher.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/processors.h"
#include "tensor/parallel.h"

namespace headrace::serving {
namespace {

// All requests' rows in one tensor an input.
std::vector<Tensor> Joined(const std::vector<std::vector<Tensor>*>& requests) {
  std::vector<Tensor> joined;
  for (size_t i = 0; i < requests[0]->size(); ++i) {
    int64_t rows = 0;
    for (const auto* request : requests) rows += (*request)[i].dim(0);
    Tensor all((*requests[0])[i].dtype(), WithRows((*requests[0])[i].shape(), rows));
    auto* to = static_cast<char*>(all.raw());
    for (const auto* request : requests) {
      std::memcpy(to, (*request)[i].raw(), (*request)[i].bytes());
      to += (*request)[i].bytes();
    }
    joined.push_back(std::move(all));
  }
  return joined;
}

// `input` with its first row repeated behind it.
Tensor FilledUp(const Tensor& input, int64_t rows) {
  Tensor filled(input.dtype(), WithRows(input.shape(), rows));
  auto* to = static_cast<char*>(filled.raw());
  std::memcpy(to, input.raw(), input.bytes());
  const size_t row = input.bytes() / static_cast<size_t>(input.dim(0));
  for (int64_t i = input.dim(0); i < rows; ++i) std::memcpy(to + static_cast<size_t>(i) * row, input.raw(), row);
  return filled;
}

uint64_t MicrosSince(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(end - start).count());
}

size_t NumWorkers(const BatchingParameters& parameters) {
  return static_cast<size_t>(std::max<int64_t>(parameters.num_batch_threads, 1));
}
size_t ComputeThreads(const BatchingParameters& parameters, int openmp_threads) {
  return NumWorkers(parameters) * static_cast<size_t>(std::max(openmp_threads, 1));
}

}  // namespace

int64_t BatchingParameters::AllowedSize(int64_t rows) const {
  const auto found = std::lower_bound(allowed_batch_sizes.begin(), allowed_batch_sizes.end(), rows);
  return found == allowed_batch_sizes.end() ? rows : *found;
}

Batcher::Batcher(const BatchingParameters& parameters, int openmp_threads, size_t max_lanes)
    : parameters_(parameters),
      lanes_(std::min(max_lanes, ComputeThreads(parameters, openmp_threads))),
      more_processors_(lanes_ < ComputeThreads(parameters, openmp_threads)),
      // Fewer threads than processors are for the kernel to place: other servers may be beside this one.
      bound_(ComputeThreads(parameters, openmp_threads) == Processors().size()),
      calls_(NumWorkers(parameters)) {
  for (size_t lane = 0; lane < lanes_; ++lane) idle_lanes_.push_back(lane);
  for (size_t i = 0; i < calls_.size(); ++i)
    threads_.emplace_back([=, this] {
      tensor::SetNumThreads(openmp_threads);
      if (bound_) tensor::PinThreads(static_cast<int>(i) * openmp_threads);
      Work(i);
    });
}

void Batcher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakeup_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::vector<size_t> Batcher::lanes() const {
  std::vector<size_t> lanes(lanes_);
  std::iota(lanes.begin(), lanes.end(), workers());
  return lanes;
}

Status Batcher::Submit(std::shared_ptr<Servable> servable, size_t signature, std::vector<Tensor> inputs, Done done,
                       Lend lend) {
  Task task{std::move(inputs), std::move(done), std::move(lend), Clock::now()};
  const int64_t rows = task.rows();
  if (rows > parameters_.max_request_size)
    return Fail(ErrorCode::kInvalidArgument, "Task size {} is larger than maximum input batch size {}", rows,
                parameters_.max_request_size);
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_[Key{servable.get(), signature}];
    const int64_t batches = (queue.rows + rows + parameters_.max_batch_size - 1) / parameters_.max_batch_size;
    const auto waiting = static_cast<int64_t>(queue.tasks.size());
    if (waiting > 0 && batches > parameters_.max_enqueued_batches)
      return Fail(ErrorCode::kUnavailable,
                  "The batch scheduling queue to which this task was submitted is full; {} "
                  "requests wait",
                  waiting);
    queue.signature = signature;
    if (!queue.servable) queue.servable = std::move(servable);
    queue.rows += rows;
    queue.tasks.push_back(std::move(task));
    Announce(queue);
  }
  return {};
}

bool Batcher::IsSmall(const Queue& queue) const {
  const Task& first = queue.tasks.front();
  if (!first.lend || lanes_ == 0 || stopping_ || parameters_.batch_timeout_micros > 0) return false;
  const int64_t small = queue.servable->small_rows(queue.signature);
  if (parameters_.AllowedSize(first.rows()) > small) return false;
  // More than all lanes take at once is a large batch, where there are processors for one.
  return !more_processors_ || queue.rows <= small * static_cast<int64_t>(lanes_);
}

void Batcher::Announce(const Queue& queue) {
  if (!IsSmall(queue)) {
    wakeup_.notify_one();
  } else if (!idle_lanes_.empty()) {  // else who runs in one looks again
    queue.tasks.front().lend([this] { RunInLane(); });
  }
}

void Batcher::OnEveryWorker(const std::function<void(size_t worker)>& work) {
  std::mutex done_mutex;
  std::condition_variable done;
  size_t left = threads_.size();
  {
    const std::lock_guard lock(mutex_);
    for (auto& calls : calls_)
      calls.push_back([&](size_t worker) {
        work(worker);
        const std::lock_guard done_lock(done_mutex);
        if (--left == 0) done.notify_all();
      });
  }
  wakeup_.notify_all();
  std::unique_lock lock(done_mutex);
  done.wait(lock, [&] { return left == 0; });
}

bool Batcher::Take(bool for_lane, Batch& batch, Clock::time_point& wake) {
  if (queues_.empty()) return false;
  // Round-robin over the queues, from behind the one served last.
  auto at = queues_.upper_bound(last_);
  for (size_t seen = 0; seen < queues_.size(); ++seen, ++at) {
    if (at == queues_.end()) at = queues_.begin();
    Queue& queue = at->second;
    if (IsSmall(queue) != for_lane) continue;
    const bool company = queue.tasks.size() > 1;
    const auto ready = queue.tasks.front().arrived + std::chrono::microseconds(parameters_.batch_timeout_micros);
    if (company && parameters_.batch_timeout_micros > 0 && queue.rows < parameters_.max_batch_size && !stopping_ &&
        Clock::now() < ready) {
      wake = std::min(wake, ready);
      continue;
    }
    batch.servable = queue.servable;
    batch.signature = queue.signature;
    int64_t most = parameters_.max_batch_size;
    if (for_lane) most = std::min(most, queue.servable->small_rows(queue.signature));
    int64_t rows = 0;
    while (!queue.tasks.empty()) {
      const int64_t own = queue.tasks.front().rows();
      if (rows > 0 && parameters_.AllowedSize(rows + own) > most) break;
      rows += own;
      batch.tasks.push_back(std::move(queue.tasks.front()));
      queue.tasks.pop_front();
    }
    queue.rows -= rows;
    last_ = at->first;
    if (queue.tasks.empty()) {
      queues_.erase(at);
    } else {
      Announce(queue);
    }
    return true;
  }
  return false;
}

void Batcher::RunInLane() {
  Batch batch;
  auto wake = Clock::time_point::max();
  size_t lane = 0;
  {
    const std::lock_guard lock(mutex_);
    if (idle_lanes_.empty()) return;
    lane = idle_lanes_.back();
    idle_lanes_.pop_back();
    if (!Take(true, batch, wake)) {
      idle_lanes_.push_back(lane);
      return;
    }
  }
  tensor::SetNumThreads(1);
  RunBatch(std::move(batch), workers() + lane);
  const std::lock_guard lock(mutex_);
  idle_lanes_.push_back(lane);
  for (const auto& [key, queue] : queues_)
    if (IsSmall(queue)) return Announce(queue);
}

void Batcher::Work(size_t worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!calls_[worker].empty()) {
      const auto call = std::move(calls_[worker].front());
      calls_[worker].pop_front();
      lock.unlock();
      call(worker);
      lock.lock();
      continue;
    }
    Batch batch;
    auto wake = Clock::time_point::max();
    if (Take(false, batch, wake)) {
      lock.unlock();
      RunBatch(std::move(batch), worker);
      lock.lock();
    } else if (stopping_ && queues_.empty()) {
      return;
    } else if (wake == Clock::time_point::max()) {
      wakeup_.wait(lock);
    } else {
      wakeup_.wait_until(lock, wake);
    }
  }
}

Batcher::Outputs Batcher::Run(const Batch& batch, const std::vector<Tensor>& inputs, size_t runner) const {
  const int64_t rows = inputs[0].dim(0);
  if (rows <= parameters_.max_batch_size && parameters_.AllowedSize(rows) == rows)
    return batch.servable->Run(batch.signature, inputs, runner);
  std::vector<std::vector<Tensor>> parts;
  for (int64_t begin = 0; begin < rows; begin += parameters_.max_batch_size) {
    const int64_t end = std::min(begin + parameters_.max_batch_size, rows);
    std::vector<Tensor> piece;
    for (const Tensor& input : inputs)
      piece.push_back(FilledUp(input.Slice(begin, end), parameters_.AllowedSize(end - begin)));
    HEADRACE_ASSIGN(std::vector<Tensor> outputs, batch.servable->Run(batch.signature, piece, runner));
    for (Tensor& output : outputs) output = output.Slice(0, end - begin);
    parts.push_back(std::move(outputs));
  }
  if (parts.size() == 1) return std::move(parts[0]);
  std::vector<std::vector<Tensor>*> all;
  for (auto& part : parts) all.push_back(&part);
  return Joined(all);
}

void Batcher::RunBatch(Batch batch, size_t runner) {
  const auto start = Clock::now();
  std::vector<std::vector<Tensor>*> requests;
  for (Task& task : batch.tasks) {
    requests.push_back(&task.inputs);
    counters_.queue_micros += MicrosSince(task.arrived, start);
  }
  const std::vector<Tensor> inputs = requests.size() == 1 ? std::move(*requests[0]) : Joined(requests);
  Outputs outputs = Run(batch, inputs, runner);
  counters_.compute_micros += MicrosSince(start, Clock::now());
  counters_.batches += 1;
  counters_.requests += batch.tasks.size();
  counters_.rows += static_cast<uint64_t>(inputs[0].dim(0));
  batch.servable.reset();  // before its requesters hear of it: an unloaded version goes here at the latest
  if (batch.tasks.size() == 1 || !outputs) {
    for (Task& task : batch.tasks) task.done(outputs);
    return;
  }
  int64_t begin = 0;
  for (Task& task : batch.tasks) {
    const int64_t end = begin + task.rows();
    std::vector<Tensor> own;
    for (const Tensor& output : *outputs) own.push_back(output.Slice(begin, end));
    task.done(std::move(own));
    begin = end;
  }
}

}  // namespace headrace::serving
