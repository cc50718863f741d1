// Zip() and concatenate().
#include <algorithm>

#include "data/dataset/nodes.h"
#include "data/dataset/several.h"

namespace headrace::data {
namespace {

class ZipStage : public ElementStage {
 public:
  explicit ZipStage(std::vector<std::unique_ptr<Stage>> inputs) : inputs_(std::move(inputs)) {}

  int64_t Skip(int64_t count) override {
    int64_t skipped = count;
    for (const auto& input : inputs_) skipped = std::min(skipped, input->Skip(count));
    if (skipped < count) ended_ = true;
    return skipped;
  }

  bool PullSingle(Element& out) override {
    return Join(out, [](Stage& input, Element& part) { return input.PullSingle(part); });
  }

 protected:
  bool PullOne(Element& out) override {
    return Join(out, [](Stage& input, Element& part) { return input.Pull(std::span(&part, 1)) == 1; });
  }

 private:
  template <typename Pull>
  bool Join(Element& out, const Pull& pull) {
    if (ended_) return false;
    Element joined, part;
    for (const auto& input : inputs_) {
      if (!pull(*input, part)) {
        ended_ = true;
        return false;
      }
      joined.Append(std::move(part));
    }
    out = std::move(joined);
    return true;
  }

  std::vector<std::unique_ptr<Stage>> inputs_;
  bool ended_ = false;
};

struct ZipNode : SeveralNode {
  using SeveralNode::SeveralNode;
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<ZipStage>(StartAll(context));
  }
  int64_t cardinality() const override {
    int64_t least = kInfinite;
    for (const NodePtr& input : inputs) {
      const int64_t count = input->cardinality();
      if (count == kUnknown) return kUnknown;
      if (count != kInfinite && (least == kInfinite || count < least)) least = count;
    }
    return least;
  }
};

class ConcatenateStage : public Stage {
 public:
  ConcatenateStage(const std::vector<NodePtr>& inputs, const Context& context) : inputs_(inputs), context_(context) {}

  size_t Pull(std::span<Element> out) override {
    for (; Open(); Close())
      if (const size_t n = stage_->Pull(out)) return n;
    return 0;
  }
  bool PullSingle(Element& out) override {
    for (; Open(); Close())
      if (stage_->PullSingle(out)) return true;
    return false;
  }
  int64_t Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count && Open()) {
      skipped += stage_->Skip(count - skipped);
      if (skipped < count) Close();
    }
    return skipped;
  }

 private:
  bool Open() {
    if (!stage_ && next_ < inputs_.size()) stage_ = inputs_[next_++]->Start(context_);
    return stage_ != nullptr;
  }
  void Close() { stage_.reset(); }

  const std::vector<NodePtr>& inputs_;
  Context context_;
  size_t next_ = 0;
  std::unique_ptr<Stage> stage_;  // null between two inputs
};

struct ConcatenateNode : SeveralNode {
  using SeveralNode::SeveralNode;
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<ConcatenateStage>(inputs, context);
  }
  int64_t cardinality() const override {
    int64_t sum = 0;
    bool unknown = false;
    for (const NodePtr& input : inputs) {
      const int64_t count = input->cardinality();
      if (count == kInfinite) return kInfinite;
      unknown |= count == kUnknown;
      sum += count;
    }
    return unknown ? kUnknown : sum;
  }
};

}  // namespace

NodePtr MakeZip(std::vector<NodePtr> inputs) { return std::make_shared<ZipNode>(std::move(inputs)); }
NodePtr MakeConcatenate(NodePtr first, NodePtr second) {
  return std::make_shared<ConcatenateNode>(std::vector<NodePtr>{std::move(first), std::move(second)});
}

}  // namespace headrace::data
