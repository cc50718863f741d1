// Zip() and concatenate().
#include <algorithm>

#include "data/dataset/flat.h"
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

struct ConcatenateNode : SeveralNode {
  using SeveralNode::SeveralNode;
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<FlatStage>([this, context, next = size_t{0}]() mutable -> std::optional<OpenDataset> {
      if (next == inputs.size()) return std::nullopt;
      const NodePtr& input = inputs[next++];
      return OpenDataset{input, input->Start(context)};
    });
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
