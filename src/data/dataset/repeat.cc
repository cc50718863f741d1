#include <algorithm>
#include <optional>

#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class RepeatStage : public Stage {
 public:
  RepeatStage(const Dataset::Node& upstream, const Context& context, int64_t count)
      : upstream_(upstream), context_(context), count_(count), ended_(count == 0) {}

  size_t Pull(std::span<Element> out) override {
    while (!ended_) {
      const size_t n = Current().Pull(out);
      in_pass_ += static_cast<int64_t>(n);
      if (n > 0) return n;
      EndPass();
    }
    return 0;
  }

  bool PullSingle(Element& out) override {
    while (!ended_) {
      if (Current().PullSingle(out)) {
        ++in_pass_;
        return true;
      }
      EndPass();
    }
    return false;
  }

  int64_t Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count && !ended_) {
      skipped += JumpPasses(count - skipped);
      if (skipped == count || ended_) break;
      const int64_t n = Current().Skip(count - skipped);
      in_pass_ += n;
      skipped += n;
      if (skipped < count) EndPass();
    }
    return skipped;
  }

 private:
  Stage& Current() {
    if (!current_) {
      Context context = context_;
      // The passes of epoch 0 are the epochs of an iterator each: repeat() and one MakeIterator(epoch) a pass agree.
      context.epoch = (context_.epoch == 0 ? 0 : Random::Mix(context_.epoch)) + static_cast<uint64_t>(pass_);
      current_ = upstream_.Start(context);
    }
    return *current_;
  }

  void EndPass() {
    current_.reset();
    ended_ = in_pass_ == 0;  // endless repetition of nothing
    length_ = std::exchange(in_pass_, 0);
    ++pass_;
    if (pass_ == count_) ended_ = true;
  }

  // Passes over whole passes without running them, once it is known how long they are.
  int64_t JumpPasses(int64_t count) {
    if (current_ || !length_ || !upstream_.replayable()) return 0;
    int64_t passes = count / *length_;
    if (count_ >= 0) passes = std::min(passes, count_ - pass_);
    pass_ += passes;
    if (pass_ == count_) ended_ = true;
    return passes * *length_;
  }

  const Dataset::Node& upstream_;
  Context context_;
  int64_t count_;  // or kInfinite
  bool ended_;
  std::unique_ptr<Stage> current_;  // null between two passes
  int64_t pass_ = 0, in_pass_ = 0;
  std::optional<int64_t> length_;  // of a whole pass, > 0 unless ended_
};

struct RepeatNode : DerivedNode {
  int64_t count;
  RepeatNode(NodePtr below, int64_t times) : DerivedNode(std::move(below)), count(times) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<RepeatStage>(*upstream, context, count);
  }
  int64_t cardinality() const override {
    const int64_t once = upstream->cardinality();
    if (once == 0 || count == 0) return 0;
    if (count == kInfinite) return once == kUnknown ? kUnknown : kInfinite;
    return once < 0 ? once : once * count;
  }
};

}  // namespace

NodePtr MakeRepeat(NodePtr upstream, int64_t count) { return std::make_shared<RepeatNode>(std::move(upstream), count); }

}  // namespace headrace::data
