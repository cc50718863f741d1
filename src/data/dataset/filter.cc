// filter(), take_while() and unique(): elements by what they are.
#include <unordered_set>

#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class FilterStage : public Stage {
 public:
  FilterStage(std::unique_ptr<Stage> upstream, FilterFn keep)
      : upstream_(std::move(upstream)), keep_(std::move(keep)) {}

  size_t Pull(std::span<Element> out) override {
    if (error_) std::rethrow_exception(error_);
    while (const size_t n = upstream_->Pull(out))
      if (const size_t kept = Keep(out.first(n))) return kept;
    return 0;
  }

 private:
  // Moves those that stay to the front and returns how many they are.
  size_t Keep(std::span<Element> block) {
    size_t kept = 0;
    for (Element& element : block) {
      try {
        if (!keep_(element)) continue;
      } catch (...) {
        if (kept == 0) throw;
        error_ = std::current_exception();
        return kept;
      }
      if (&block[kept] != &element) block[kept] = std::move(element);
      ++kept;
    }
    return kept;
  }

  std::unique_ptr<Stage> upstream_;
  FilterFn keep_;
  std::exception_ptr error_;  // thrown at the next call
};

class TakeWhileStage : public ElementStage {
 public:
  TakeWhileStage(std::unique_ptr<Stage> upstream, FilterFn keep)
      : upstream_(std::move(upstream)), keep_(std::move(keep)) {}

 protected:
  bool PullOne(Element& out) override {
    ended_ = ended_ || upstream_->Pull(std::span(&out, 1)) == 0 || !keep_(out);
    return !ended_;
  }

 private:
  std::unique_ptr<Stage> upstream_;
  FilterFn keep_;
  bool ended_ = false;
};

// What tells one element from another: of each component its type, its shape and its bytes.
std::string IdentityOf(const Element& element) {
  std::string identity;
  for (const Tensor& tensor : element.components()) {
    identity += NameOf(tensor.dtype()) + tensor.shape().ToString();
    identity += Bytes(tensor);
  }
  return identity;
}

// How many elements stay may change from one run to the next, where the stages below draw random numbers.
struct ChoosyNode : DerivedNode {
  using DerivedNode::DerivedNode;
  int64_t cardinality() const override { return kUnknown; }
  bool replayable() const override { return false; }
};

struct FilterNode : ChoosyNode {
  FilterFn keep;
  FilterNode(NodePtr below, FilterFn predicate) : ChoosyNode(std::move(below)), keep(std::move(predicate)) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<FilterStage>(upstream->Start(context), keep);
  }
};

struct TakeWhileNode : ChoosyNode {
  FilterFn keep;
  TakeWhileNode(NodePtr below, FilterFn predicate) : ChoosyNode(std::move(below)), keep(std::move(predicate)) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<TakeWhileStage>(upstream->Start(context), keep);
  }
};

struct UniqueNode : ChoosyNode {
  using ChoosyNode::ChoosyNode;
  std::unique_ptr<Stage> Start(const Context& context) const override {
    const auto seen = std::make_shared<std::unordered_set<std::string>>();
    return std::make_unique<FilterStage>(
        upstream->Start(context), [seen](const Element& element) { return seen->insert(IdentityOf(element)).second; });
  }
};

}  // namespace

NodePtr MakeFilter(NodePtr upstream, FilterFn keep) {
  return std::make_shared<FilterNode>(std::move(upstream), std::move(keep));
}
NodePtr MakeTakeWhile(NodePtr upstream, FilterFn keep) {
  return std::make_shared<TakeWhileNode>(std::move(upstream), std::move(keep));
}
NodePtr MakeUnique(NodePtr upstream) { return std::make_shared<UniqueNode>(std::move(upstream)); }

}  // namespace headrace::data
