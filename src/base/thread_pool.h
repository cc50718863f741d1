// ThreadPool: a fixed number of threads for work that blocks (SQLite, files, archives), with a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace headrace {

class ThreadPool {
 public:
  // `queue_limit`: tasks that may wait for a thread; more are refused.
  ThreadPool(size_t threads, size_t queue_limit);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();  // finishes what is queued

  // Queues `task`, or returns false and drops it when the queue is full. A task must not throw.
  bool TryPost(std::function<void()> task);

 private:
  void Work();

  const size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace headrace
