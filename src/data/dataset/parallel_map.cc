// map() on several threads. Workers take blocks of elements from the stage below, one worker at a time, and put the
// results where the consumer finds them in the order of the blocks; so neither the order nor the random numbers depend
// on who was faster. Locks and wake-ups are paid once a block.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "data/dataset/block_size.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

struct Block {
  std::vector<Element> elements;
  std::exception_ptr error;  // after the elements
  bool last = false;         // nothing follows
};

class ParallelMapStage : public Stage {
 public:
  ParallelMapStage(std::unique_ptr<Stage> upstream, MapCall call, size_t threads)
      : upstream_(std::move(upstream)), call_(std::move(call)), threads_(threads), slots_(2 * threads + 2) {}

  ~ParallelMapStage() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  size_t Pull(std::span<Element> out) override {
    if (workers_.empty()) StartWorkers();
    while (taken_ == current_.elements.size()) {
      if (current_.error) std::rethrow_exception(current_.error);
      if (current_.last) return 0;
      WaitForBlock();
    }
    const size_t n = std::min(out.size(), current_.elements.size() - taken_);
    std::move(current_.elements.begin() + static_cast<ptrdiff_t>(taken_),
              current_.elements.begin() + static_cast<ptrdiff_t>(taken_ + n), out.begin());
    taken_ += n;
    return n;
  }

  bool PullSingle(Element& out) override {
    if (!workers_.empty()) return Stage::PullSingle(out);
    if (!upstream_->PullSingle(out)) return false;
    out = call_(std::move(out), next_index_++);
    return true;
  }

  int64_t Skip(int64_t count) override {
    if (!workers_.empty()) return Stage::Skip(count);
    const int64_t skipped = upstream_->Skip(count);
    next_index_ += static_cast<uint64_t>(skipped);
    return skipped;
  }

 private:
  struct Slot {
    Block block;
    bool ready = false;
  };

  void StartWorkers() {
    for (size_t i = 0; i < threads_; ++i) workers_.emplace_back([this] { Work(); });
  }

  // The next block in order becomes the current one.
  void WaitForBlock() {
    std::unique_lock lock(mutex_);
    Slot& slot = slots_[consumed_ % slots_.size()];
    ready_.wait(lock, [&] { return slot.ready; });
    current_.elements.clear();
    std::swap(current_, slot.block);  // the worker gets the empty vector back
    slot.ready = false;
    taken_ = 0;
    ++consumed_;
    // Waking a worker for every block would cost more than the block; let it sleep until half the slots are free.
    if (claimed_ - consumed_ <= slots_.size() / 2) {
      lock.unlock();
      room_.notify_one();
    }
  }

  void Work() {
    Block block;
    uint64_t number = 0, index = 0;
    while (Claim(block, number, index)) {
      Run(block, index);
      const std::lock_guard lock(mutex_);
      Slot& slot = slots_[number % slots_.size()];
      std::swap(slot.block, block);
      slot.ready = true;
      if (number == consumed_) ready_.notify_one();
    }
  }

  // Takes the next block of the stage below. False when there is no work left.
  bool Claim(Block& block, uint64_t& number, uint64_t& index) {
    const std::lock_guard order(upstream_mutex_);
    if (ended_) return false;
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopping_ || claimed_ - consumed_ < slots_.size(); });
      if (stopping_) return false;
      number = claimed_++;
    }
    block.error = nullptr;
    block.elements.resize(block_size_.value());
    size_t n = 0;
    try {
      n = upstream_->Pull(block.elements);
    } catch (...) {
      block.error = std::current_exception();
    }
    block.elements.resize(n);
    block.last = n == 0;
    ended_ = block.last;
    index = next_index_;
    next_index_ += n;
    return true;
  }

  void Run(Block& block, uint64_t index) {
    const auto start = BlockSize::Clock::now();
    const size_t size = block.elements.size();
    for (size_t i = 0; i < size; ++i) {
      try {
        block.elements[i] = call_(std::move(block.elements[i]), index + i);
      } catch (...) {
        block.error = std::current_exception();
        block.elements.resize(i);
        return;
      }
    }
    block_size_.Observe(size, BlockSize::Clock::now() - start);
  }

  std::unique_ptr<Stage> upstream_;
  MapCall call_;
  size_t threads_;
  BlockSize block_size_;

  std::mutex upstream_mutex_;  // guards upstream_, next_index_, ended_; taken before mutex_
  uint64_t next_index_ = 0;
  bool ended_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable ready_, room_;
  std::vector<Slot> slots_;              // block k is in slot k modulo their number
  uint64_t claimed_ = 0, consumed_ = 0;  // blocks
  bool stopping_ = false;

  Block current_;  // the consumer's
  size_t taken_ = 0;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Stage> StartParallelMap(std::unique_ptr<Stage> upstream, MapCall call, int num_parallel_calls) {
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t threads = std::min<size_t>(static_cast<size_t>(num_parallel_calls), cores);
  return std::make_unique<ParallelMapStage>(std::move(upstream), std::move(call), threads);
}

}  // namespace headrace::data
