// take(), skip() and shard(): parts of a stream.
#include <algorithm>
#include <limits>

#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class TakeStage : public Stage {
 public:
  TakeStage(std::unique_ptr<Stage> upstream, int64_t count) : upstream_(std::move(upstream)), left_(count) {}

  size_t Pull(std::span<Element> out) override {
    if (left_ == 0) return 0;
    const size_t n = upstream_->Pull(out.first(std::min(out.size(), static_cast<size_t>(left_))));
    left_ -= static_cast<int64_t>(n);
    return n;
  }

  bool PullSingle(Element& out) override {
    if (left_ == 0 || !upstream_->PullSingle(out)) return false;
    --left_;
    return true;
  }

  int64_t Skip(int64_t count) override {
    const int64_t skipped = upstream_->Skip(std::min(count, left_));
    left_ -= skipped;
    return skipped;
  }

 private:
  std::unique_ptr<Stage> upstream_;
  int64_t left_;
};

class SkipStage : public Stage {
 public:
  SkipStage(std::unique_ptr<Stage> upstream, int64_t count) : upstream_(std::move(upstream)), pending_(count) {}

  size_t Pull(std::span<Element> out) override {
    SkipFirst();
    return upstream_->Pull(out);
  }
  bool PullSingle(Element& out) override {
    SkipFirst();
    return upstream_->PullSingle(out);
  }
  int64_t Skip(int64_t count) override {
    SkipFirst();
    return upstream_->Skip(count);
  }

 private:
  void SkipFirst() {
    if (pending_ > 0) upstream_->Skip(std::exchange(pending_, 0));
  }

  std::unique_ptr<Stage> upstream_;
  int64_t pending_;
};

class ShardStage : public ElementStage {
 public:
  ShardStage(std::unique_ptr<Stage> upstream, int64_t shards, int64_t index)
      : upstream_(std::move(upstream)), shards_(shards), gap_(index) {}

  int64_t Skip(int64_t count) override {
    if (count == 0) return 0;
    const int64_t most = (std::numeric_limits<int64_t>::max() - gap_ - 1) / shards_;
    const int64_t wanted = gap_ + 1 + (std::min(count - 1, most)) * shards_;
    const int64_t found = upstream_->Skip(wanted);
    const int64_t skipped = found > gap_ ? 1 + (found - gap_ - 1) / shards_ : 0;
    gap_ = shards_ - 1;
    return skipped;
  }

 protected:
  bool PullOne(Element& out) override {
    if (upstream_->Skip(gap_) < gap_) return false;
    gap_ = shards_ - 1;
    return upstream_->Pull(std::span(&out, 1)) == 1;
  }

 private:
  std::unique_ptr<Stage> upstream_;
  int64_t shards_, gap_;  // gap_: elements of other shards before the next of ours
};

struct TakeNode : DerivedNode {
  int64_t count;
  TakeNode(NodePtr below, int64_t n) : DerivedNode(std::move(below)), count(n) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<TakeStage>(upstream->Start(context), count);
  }
  int64_t cardinality() const override {
    const int64_t all = upstream->cardinality();
    if (count == 0 || all == kInfinite) return count;
    return all == kUnknown ? kUnknown : std::min(all, count);
  }
};

struct SkipNode : DerivedNode {
  int64_t count;
  SkipNode(NodePtr below, int64_t n) : DerivedNode(std::move(below)), count(n) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<SkipStage>(upstream->Start(context), count);
  }
  int64_t cardinality() const override {
    const int64_t all = upstream->cardinality();
    return all < 0 ? all : std::max<int64_t>(all - count, 0);
  }
};

struct ShardNode : DerivedNode {
  int64_t shards, index;
  ShardNode(NodePtr below, int64_t num_shards, int64_t which)
      : DerivedNode(std::move(below)), shards(num_shards), index(which) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<ShardStage>(upstream->Start(context), shards, index);
  }
  int64_t cardinality() const override {
    const int64_t all = upstream->cardinality();
    return all < 0 ? all : (all + shards - 1 - index) / shards;
  }
};

}  // namespace

NodePtr MakeTake(NodePtr upstream, int64_t count) {
  if (count < 0) return upstream;
  return std::make_shared<TakeNode>(std::move(upstream), count);
}

NodePtr MakeSkip(NodePtr upstream, int64_t count) {
  if (count < 0) return MakeTake(std::move(upstream), 0);
  return std::make_shared<SkipNode>(std::move(upstream), count);
}

NodePtr MakeShard(NodePtr upstream, int64_t num_shards, int64_t index) {
  return std::make_shared<ShardNode>(std::move(upstream), num_shards, index);
}

}  // namespace headrace::data
