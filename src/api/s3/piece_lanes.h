// Lanes that the pieces of a large body go through side by side: hashing in one, writing in another. Each lane sees
// every piece, in order, on a thread of the pool; a buffer is used again once all lanes are done with it, so memory is
// bounded and the slowest lane sets the pace.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "http/signal.h"

namespace headrace::api::s3 {

class PieceLanes {
 public:
  using Work = std::function<Status(std::string_view)>;

  PieceLanes(ThreadPool& pool, std::vector<Work> lanes, size_t buffers, size_t buffer_bytes);
  PieceLanes(const PieceLanes&) = delete;
  ~PieceLanes();  // waits for the lanes that run; what they have not begun is dropped

  // A buffer to fill, as soon as there is one; the first error of a lane, or kUnavailable when the pool is full.
  http::Task<Result<std::span<char>>> Buffer();
  // Sends the first `size` bytes of that buffer on their way.
  void Send(size_t size);
  // Waits until every lane has seen every piece.
  http::Task<Status> Finish();

 private:
  struct Piece {
    size_t buffer = 0, size = 0;
  };
  struct Lane {
    Work work;
    std::deque<Piece> waiting;
    bool running = false;
  };
  struct Storage {
    std::string bytes;
    size_t readers = 0;
  };

  void Run(size_t lane);    // a task of the pool
  void Start(size_t lane);  // with the lock held
  bool Idle() const;        // with the lock held

  ThreadPool& pool_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<Lane> lanes_;
  std::vector<Storage> storage_;
  std::vector<size_t> free_;
  size_t current_ = 0;  // the buffer that is being filled
  Status outcome_;
  http::Signal changed_;
};

}  // namespace headrace::api::s3
