#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "data/dataset/block_size.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class PrefetchStage : public Stage {
 public:
  PrefetchStage(std::unique_ptr<Stage> upstream, size_t size) : upstream_(std::move(upstream)), size_(size) {}

  ~PrefetchStage() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  size_t Pull(std::span<Element> out) override {
    if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !queue_.empty() || ended_; });
    if (queue_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return 0;
    }
    const size_t n = std::min(out.size(), queue_.size());
    for (size_t i = 0; i < n; ++i) {
      out[i] = std::move(queue_.front());
      queue_.pop_front();
    }
    if (HasRoom()) {
      lock.unlock();
      room_.notify_one();
    }
    return n;
  }

  bool PullSingle(Element& out) override {
    return thread_.joinable() ? Stage::PullSingle(out) : upstream_->PullSingle(out);
  }

  int64_t Skip(int64_t count) override { return thread_.joinable() ? Stage::Skip(count) : upstream_->Skip(count); }

 private:
  // The thread sleeps until half of its room is free, so that it wakes up for blocks, not for single elements.
  bool HasRoom() const { return queue_.size() <= size_ / 2; }

  void Work() {
    std::vector<Element> block;
    BlockSize block_size;
    while (const size_t room = WaitForRoom()) {
      block.resize(std::min(room, block_size.value()));
      const auto start = BlockSize::Clock::now();
      size_t n = 0;
      std::exception_ptr error;
      try {
        n = upstream_->Pull(block);
      } catch (...) {
        error = std::current_exception();
      }
      block_size.Observe(n, BlockSize::Clock::now() - start);
      const std::lock_guard lock(mutex_);
      std::move(block.begin(), block.begin() + static_cast<ptrdiff_t>(n), std::back_inserter(queue_));
      error_ = error;
      ended_ = n == 0;
      filled_.notify_one();
      if (ended_) return;
    }
  }

  // Free places, or 0 when there is no more use for them.
  size_t WaitForRoom() {
    std::unique_lock lock(mutex_);
    if (queue_.size() == size_) room_.wait(lock, [&] { return stopping_ || HasRoom(); });
    return stopping_ ? 0 : size_ - queue_.size();
  }

  std::unique_ptr<Stage> upstream_;  // the thread's, once it runs
  size_t size_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable filled_, room_;
  std::deque<Element> queue_;
  std::exception_ptr error_;  // after the queue's elements
  bool ended_ = false, stopping_ = false;

  std::thread thread_;  // started by the first Pull
};

// Workers above hold more elements than this in their blocks; a thread that hands them a few would only cost time.
constexpr int64_t kWorthAThread = 64;

struct PrefetchNode : DerivedNode {
  int64_t size;
  PrefetchNode(NodePtr below, int64_t buffer_size) : DerivedNode(std::move(below)), size(buffer_size) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<PrefetchStage>(upstream->Start(context), static_cast<size_t>(size));
  }
  std::unique_ptr<Stage> StartBelowWorkers(const Context& context) const override {
    return size < kWorthAThread ? upstream->StartBelowWorkers(context) : Start(context);
  }
};

}  // namespace

NodePtr MakePrefetch(NodePtr upstream, int64_t buffer_size) {
  return std::make_shared<PrefetchNode>(std::move(upstream), buffer_size);
}

}  // namespace headrace::data
