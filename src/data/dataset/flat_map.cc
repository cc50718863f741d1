// flat_map(), unbatch() and what else puts the elements of data sets that are made on the way behind each other.
#include "base/result.h"
#include "data/dataset/flat.h"
#include "data/dataset/nodes.h"
#include "data/row.h"

namespace headrace::data {

FlatStage::FlatStage(NextDataset next, const Context& context)
    : next_([next = std::move(next), opener = Opener(context)]() mutable {
        const auto dataset = next();
        return dataset ? std::optional(opener.Open(*dataset)) : std::nullopt;
      }) {}

size_t FlatStage::Pull(std::span<Element> out) {
  for (; Open(); inner_.reset())
    if (const size_t n = inner_->stage->Pull(out)) return n;
  return 0;
}

bool FlatStage::PullSingle(Element& out) {
  for (; Open(); inner_.reset())
    if (inner_->stage->PullSingle(out)) return true;
  return false;
}

int64_t FlatStage::Skip(int64_t count) {
  int64_t skipped = 0;
  while (skipped < count && Open()) {
    skipped += inner_->stage->Skip(count - skipped);
    if (skipped < count) inner_.reset();
  }
  return skipped;
}

bool FlatStage::Open() {
  if (!inner_ && next_) inner_ = next_();
  if (!inner_) next_ = nullptr;
  return inner_.has_value();
}

namespace {

struct FlatMapNode : DerivedNode {
  NestFn fn;
  FlatMapNode(NodePtr below, NestFn make) : DerivedNode(std::move(below)), fn(std::move(make)) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    const std::shared_ptr<Stage> elements = upstream->Start(context);
    auto next = [this, elements]() -> std::optional<Dataset> {
      Element element;
      if (elements->Pull(std::span(&element, 1)) == 0) return std::nullopt;
      return fn(std::move(element));
    };
    return std::make_unique<FlatStage>(std::move(next), context);
  }
  int64_t cardinality() const override { return upstream->cardinality() == 0 ? 0 : kUnknown; }
  bool replayable() const override { return false; }  // what fn returns is not known here
};

// The rows of one element after the other, as views into it.
class UnbatchStage : public ElementStage {
 public:
  explicit UnbatchStage(std::unique_ptr<Stage> upstream) : upstream_(std::move(upstream)) {}

  int64_t Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count && OpenRows()) {
      const int64_t passed = std::min(count - skipped, rows_ - next_);
      next_ += passed;
      skipped += passed;
    }
    return skipped;
  }

 protected:
  bool PullOne(Element& out) override {
    if (!OpenRows()) return false;
    std::vector<Tensor> row;
    row.reserve(whole_.size());
    for (const Tensor& component : whole_.components()) row.push_back(Row(component, next_));
    out = whole_.With(std::move(row));
    ++next_;
    return true;
  }

 private:
  // False at the end.
  bool OpenRows() {
    while (next_ == rows_) {
      if (upstream_->Pull(std::span(&whole_, 1)) == 0) return false;
      next_ = 0;
      rows_ = RowsOf(whole_);
    }
    return true;
  }

  static int64_t RowsOf(const Element& element) {
    const Shape& first = element.x().shape();
    for (const Tensor& component : element.components())
      if (component.shape().rank() == 0 || component.dim(0) != first[0])
        throw MakeError(ErrorCode::kInvalidArgument, "unbatch: found components of shapes {} and {}, wanted equal rows",
                        first.ToString(), component.shape().ToString());
    return first[0];
  }

  std::unique_ptr<Stage> upstream_;
  Element whole_;
  int64_t next_ = 0, rows_ = 0;
};

struct UnbatchNode : DerivedNode {
  using DerivedNode::DerivedNode;
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<UnbatchStage>(upstream->Start(context));
  }
  int64_t cardinality() const override { return upstream->cardinality() == 0 ? 0 : kUnknown; }
  bool replayable() const override { return false; }  // another run's elements may have other numbers of rows
};

}  // namespace

NodePtr MakeFlatMap(NodePtr upstream, NestFn fn) {
  return std::make_shared<FlatMapNode>(std::move(upstream), std::move(fn));
}
NodePtr MakeUnbatch(NodePtr upstream) { return std::make_shared<UnbatchNode>(std::move(upstream)); }

}  // namespace headrace::data
