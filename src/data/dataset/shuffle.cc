#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

// The order of a shuffle, apart from the elements: which slot of the buffer is emitted next.
class SlotDraw {
 public:
  explicit SlotDraw(uint64_t seed) : random_(seed) {}
  size_t Next(size_t slots) { return static_cast<size_t>(random_.Below(slots)); }

 private:
  Random random_;
};

class ShuffleStage : public Stage {
 public:
  // `length` tells how many elements the stage below has, when somebody wants to know: kUnknown if nothing can.
  ShuffleStage(std::unique_ptr<Stage> upstream, size_t size, uint64_t seed, std::function<int64_t()> length)
      : upstream_(std::move(upstream)), size_(size), draw_(seed), length_(std::move(length)) {}

  size_t Pull(std::span<Element> out) override {
    if (!filled_) Fill();
    if (buffer_.empty()) return 0;
    if (!Refill(out.size())) return Drain(out);
    DrawSlots(incoming_.size());
    for (size_t i = 0; i < incoming_.size(); ++i) {
      Element& slot = buffer_[slots_[i]];
      out[i] = std::move(slot);
      slot = std::move(incoming_[i]);
    }
    return incoming_.size();
  }

  int64_t Skip(int64_t count) override {
    const int64_t length = filled_ || count == 0 ? kUnknown : length_();
    return length == kUnknown ? Stage::Skip(count) : SkipUnseen(count, length == kInfinite ? kAll : length);
  }

 private:
  void Fill() {
    filled_ = true;
    buffer_.resize(size_);
    size_t have = 0;
    while (have < size_) {
      const size_t n = upstream_->Pull(std::span(buffer_).subspan(have));
      if (n == 0) break;
      have += n;
    }
    buffer_.resize(have);
  }

  // Gets up to `wanted` elements that will replace emitted ones; false once there are none.
  bool Refill(size_t wanted) {
    if (upstream_ended_) return false;
    incoming_.resize(wanted);
    incoming_.resize(upstream_->Pull(incoming_));
    upstream_ended_ = incoming_.empty();
    return !upstream_ended_;
  }

  // Draws the slots of a block and asks the memory for their elements, all at once: they lie all over a buffer that no
  // cache holds, and waiting for one after the other would cost more than everything else.
  void DrawSlots(size_t count) {
    slots_.resize(count);
    for (size_t& slot : slots_) {
      slot = draw_.Next(buffer_.size());
      __builtin_prefetch(&buffer_[slot]);
    }
    for (const size_t slot : slots_) {
      const auto* tensors = reinterpret_cast<const char*>(buffer_[slot].components().data());
      __builtin_prefetch(tensors);
      __builtin_prefetch(tensors + 64);
    }
    for (const size_t slot : slots_)
      for (const Tensor& tensor : buffer_[slot].components()) {
        __builtin_prefetch(tensor.raw());
        __builtin_prefetch(tensor.shape().dims().data());
      }
  }

  size_t Drain(std::span<Element> out) {
    const size_t n = std::min(out.size(), buffer_.size());
    for (size_t i = 0; i < n; ++i) {
      Element& slot = buffer_[draw_.Next(buffer_.size())];
      out[i] = std::move(slot);
      if (&slot != &buffer_.back()) slot = std::move(buffer_.back());
      buffer_.pop_back();
    }
    return n;
  }

  // Nothing will be emitted after all of the elements.
  int64_t SkipAll(int64_t length) {
    filled_ = upstream_ended_ = true;
    return length;
  }

  // Plays the draws on the elements' numbers alone, then gets those that would be in the buffer by now.
  int64_t SkipUnseen(int64_t count, int64_t length) {
    if (count >= length) return SkipAll(length);
    std::vector<int64_t> numbers(static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(size_), length)));
    std::iota(numbers.begin(), numbers.end(), int64_t{0});
    auto next = static_cast<int64_t>(numbers.size());
    int64_t skipped = 0;
    for (; skipped < count && !numbers.empty(); ++skipped) {
      int64_t& slot = numbers[draw_.Next(numbers.size())];
      if (next < length) {
        slot = next++;
      } else {
        slot = numbers.back();
        numbers.pop_back();
      }
    }
    Gather(numbers, next);
    return skipped;
  }

  // Fills buffer slot i with element numbers[i] of the stage below and leaves that stage before element `end`.
  void Gather(const std::vector<int64_t>& numbers, int64_t end) {
    filled_ = true;
    buffer_.resize(numbers.size());
    std::vector<size_t> slots(numbers.size());
    std::iota(slots.begin(), slots.end(), size_t{0});
    std::sort(slots.begin(), slots.end(), [&](size_t a, size_t b) { return numbers[a] < numbers[b]; });
    int64_t position = 0;
    for (const size_t slot : slots) {
      position += upstream_->Skip(numbers[slot] - position);
      position += upstream_->PullSingle(buffer_[slot]) ? 1 : 0;
    }
    upstream_->Skip(end - position);
  }

  std::unique_ptr<Stage> upstream_;
  size_t size_;
  SlotDraw draw_;
  std::function<int64_t()> length_;
  std::vector<Element> buffer_, incoming_;
  std::vector<size_t> slots_;  // of the block being emitted
  bool filled_ = false, upstream_ended_ = false;
};

struct ShuffleNode : DerivedNode {
  int64_t size;
  ShuffleOptions options;

  ShuffleNode(NodePtr below, int64_t buffer_size, ShuffleOptions shuffle)
      : DerivedNode(std::move(below)), size(buffer_size), options(shuffle) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = true;
    const uint64_t seed = MixSeed(options.seed, depth(), options.reshuffle_each_iteration ? context.epoch : 0);
    auto length = [this, below] {
      const int64_t known = upstream->cardinality();
      if (known != kUnknown || !upstream->replayable()) return known;
      return upstream->Start(below)->Skip(kAll);
    };
    return std::make_unique<ShuffleStage>(upstream->Start(below), static_cast<size_t>(size), seed, length);
  }
};

}  // namespace

NodePtr MakeShuffle(NodePtr upstream, int64_t buffer_size, ShuffleOptions options) {
  return std::make_shared<ShuffleNode>(std::move(upstream), buffer_size, options);
}

}  // namespace headrace::data
