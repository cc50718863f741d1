#include "api/s3/piece_lanes.h"

#include <algorithm>

namespace headrace::api::s3 {

PieceLanes::PieceLanes(ThreadPool& pool, std::vector<Work> lanes, size_t buffers, size_t buffer_bytes) : pool_(pool) {
  for (Work& work : lanes) lanes_.push_back({std::move(work), {}, false});
  storage_.resize(buffers);
  for (size_t i = 0; i < buffers; ++i) {
    storage_[i].bytes.resize(buffer_bytes);
    free_.push_back(i);
  }
}

PieceLanes::~PieceLanes() {
  std::unique_lock lock(mutex_);
  for (Lane& lane : lanes_) lane.waiting.clear();
  idle_.wait(lock, [this] { return Idle(); });
}

bool PieceLanes::Idle() const {
  return std::none_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.running; });
}

http::Task<Result<std::span<char>>> PieceLanes::Buffer() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (!outcome_) co_return tl::unexpected<Error>(outcome_.error());
      if (!free_.empty()) {
        current_ = free_.back();
        free_.pop_back();
        std::string& bytes = storage_[current_].bytes;
        co_return std::span<char>(bytes.data(), bytes.size());
      }
    }
    co_await changed_.Wait();
  }
}

void PieceLanes::Send(size_t size) {
  const std::lock_guard lock(mutex_);
  storage_[current_].readers = lanes_.size();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].waiting.push_back({current_, size});
    if (!lanes_[i].running) Start(i);
  }
}

void PieceLanes::Start(size_t lane) {
  lanes_[lane].running = pool_.TryPost([this, lane] { Run(lane); });
  if (lanes_[lane].running || !outcome_) return;
  outcome_ = Fail(ErrorCode::kUnavailable, "the server is busy: too much work is queued; try again");
}

// One piece. Then the lane goes to the end of the pool's queue, so that a long upload keeps no thread from others;
// where the queue has no room for it, it goes on at once. With nothing left it ends, and the next piece starts it
// again.
void PieceLanes::Run(size_t index) {
  std::unique_lock lock(mutex_);
  Lane& lane = lanes_[index];
  while (!lane.waiting.empty()) {
    const Piece piece = lane.waiting.front();
    lane.waiting.pop_front();
    const bool wanted = outcome_.has_value();
    lock.unlock();
    Status done;
    if (wanted) done = lane.work({storage_[piece.buffer].bytes.data(), piece.size});
    lock.lock();
    if (!done && outcome_) outcome_ = std::move(done);
    if (--storage_[piece.buffer].readers == 0) {
      free_.push_back(piece.buffer);
      changed_.Set();
    }
    if (!lane.waiting.empty() && pool_.TryPost([this, index] { Run(index); })) return;
  }
  lane.running = false;
  changed_.Set();
  idle_.notify_all();
}

http::Task<Status> PieceLanes::Finish() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (Idle()) co_return outcome_;
    }
    co_await changed_.Wait();
  }
}

}  // namespace headrace::api::s3
